import { WaitList } from '../../sdk/kit/wait-list.ts';
import type { AnyMessage } from '../../sdk/message.ts';
import { transportErrors } from '../../transport/errors.ts';
import type { Stream } from '../../transport/transport.ts';
import {
  SHARED_UNANSWERED_MAX,
  SHARED_UNANSWERED_SHARE_MAX,
  SHARED_WAITING_MAX,
  SHARED_WAITING_SHARE_MAX,
} from '../limits.ts';

/** Calls of one message on one shared stream. */
export interface Line {
  /** Whether its calls are answered. */
  readonly answered: boolean;
  /** Requests that have no answer yet. */
  unanswered: number;
  readonly waiting: WaitList<Stream | Promise<Stream>>;
}

/**
 * Who may write on a shared stream, and who waits for it. Each message waits in a line of its own, the
 * lines take turns, and none gets more than half of the places, so that a plugin that sends much of one
 * message does not keep the others of its node waiting.
 */
export class Turns {
  #unanswered = 0;
  /** By message name, of which there are as many as this process sends. The next turn is the first one's. */
  readonly #lines = new Map<string, Line>();

  line(message: AnyMessage): Line {
    let line = this.#lines.get(message.name);
    if (line === undefined) {
      const full = () => transportErrors.make('too-many-streams');
      const waiting = new WaitList<Stream | Promise<Stream>>({ max: SHARED_WAITING_SHARE_MAX, full });
      line = { answered: message.stream === 'bi', unanswered: 0, waiting };
      this.#lines.set(message.name, line);
    }
    return line;
  }

  /** Whether one more call of this line has a place. */
  hasPlace(line: Line): boolean {
    if (!line.answered) return true;
    return this.#unanswered < SHARED_UNANSWERED_MAX && line.unanswered < SHARED_UNANSWERED_SHARE_MAX;
  }

  take(line: Line): void {
    if (!line.answered) return;
    line.unanswered++;
    this.#unanswered++;
  }

  give(line: Line): void {
    if (!line.answered) return;
    line.unanswered--;
    this.#unanswered--;
  }

  /** @throws transport/too-many-streams when too many wait */
  async wait(line: Line, signal: AbortSignal | undefined): Promise<Stream> {
    if (this.waiting >= SHARED_WAITING_MAX) throw transportErrors.make('too-many-streams');
    return line.waiting.wait(signal);
  }

  get waiting(): number {
    let sum = 0;
    for (const { waiting } of this.#lines.values()) sum += waiting.size;
    return sum;
  }

  /** Lets one after another on, in turn by line, while there is `room`. */
  serve(room: () => boolean, open: (line: Line) => Stream): void {
    for (const [name, line] of this.#lines) {
      if (!room()) return;
      if (line.waiting.size === 0 || !this.hasPlace(line)) continue;
      this.#lines.delete(name);
      this.#lines.set(name, line);
      line.waiting.next(open(line));
    }
  }

  /** Lets everybody on who waits. */
  serveAll(open: (line: Line) => Stream | Promise<Stream>): void {
    for (const line of this.#lines.values()) {
      while (line.waiting.size > 0) line.waiting.next(open(line));
    }
  }
}
