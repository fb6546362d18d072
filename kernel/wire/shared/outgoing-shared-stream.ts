import type { AnyMessage } from '../../sdk/message.ts';
import { transportErrors } from '../../transport/errors.ts';
import type { Connection, Stream, StreamAbort, TransportStream } from '../../transport/transport.ts';
import { Deadline } from '../deadlines.ts';
import type { Expiring } from '../deadlines.ts';
import { BACKPRESSURE_BYTES, HEADER_DEADLINE_MS, MALFORMED_POINTS, RESET_CODES } from '../limits.ts';
import type { SharedHost } from './host.ts';
import { IdTable } from './id-table.ts';
import { OutgoingMessage } from './outgoing-message.ts';
import type { MessageHost } from './outgoing-message.ts';
import {
  CAPSULE_KINDS,
  CAPSULE_MAX_BYTES,
  CapsuleReader,
  SHARED_STREAM_CODE,
  decodeElsewhere,
  appendCapsule,
  resetFrame,
  malformedCapsule,
} from './capsule.ts';
import { Turns } from './turns.ts';
import type { Line } from './turns.ts';

/** Whose shared stream it is. */
export interface SharedStreamOwner {
  /** An id that no request under way has. */
  nextId(): number;
  /** The connection left new streams unread, and on this one comes an answer that somebody waits for. */
  expectAnswerOn(streamId: number): void;
  /** No message goes on it any more. */
  ended(stream: OutgoingSharedStream): void;
}

/**
 * A shared stream that we opened: our requests and notices of one priority go out on it, and answers
 * come back. When it ends, each call under way on it ends, and what still waits goes on a stream of its own.
 */
export class OutgoingSharedStream implements MessageHost, Expiring {
  readonly connection: Connection;
  readonly #wire: SharedHost;
  readonly #stream: TransportStream;
  readonly #owner: SharedStreamOwner;
  readonly #turns = new Turns();
  readonly #reader = new CapsuleReader();
  readonly #deadline = new Deadline(this);
  readonly #unanswered = new IdTable<OutgoingMessage>();
  /** Messages that have been let on and have not written yet. */
  #unwritten = 0;
  #anyWaiting = false;
  /** The peer does not keep up, and somebody waits. */
  #waitsForPeer = false;
  #draining: Promise<void> | undefined;
  #ended = false;

  constructor(wire: SharedHost, stream: TransportStream, owner: SharedStreamOwner) {
    this.connection = wire.connection;
    this.#wire = wire;
    this.#stream = stream;
    this.#owner = owner;
    stream.onData = (chunk, fin) => this.#receive(chunk, fin);
    stream.onAbort = (reason) => this.#end(reason);
    stream.append(Uint8Array.of(SHARED_STREAM_CODE));
  }

  get pendingBytes(): number {
    return this.#stream.pendingBytes;
  }

  /**
   * A stream for one message. When as many requests are unanswered or as many bytes queued as may be,
   * it waits for its turn.
   */
  open(message: AnyMessage, signal: AbortSignal | undefined): Stream | Promise<Stream> {
    const line = this.#turns.line(message);
    if (line.waiting.size === 0 && this.#hasRoom() && this.#turns.hasPlace(line)) return this.#place(line);
    const turn = this.#turns.wait(line, signal);
    this.#anyWaiting = true;
    this.#serve();
    return turn;
  }

  /** The call that waits for the answer with this request id. */
  unanswered(id: number): OutgoingMessage | undefined {
    return this.#unanswered.get(id);
  }

  /** Whether an answer of ours is on its way on this stream of its own. */
  expects(streamId: number): boolean {
    for (const { elsewhere } of this.#unanswered) if (elsewhere === streamId) return true;
    return false;
  }

  send(message: OutgoingMessage, frame: Uint8Array): void {
    if (this.#ended) throw transportErrors.make('stream-ended');
    message.written = true;
    this.#unwritten--;
    if (message.line.answered) {
      appendCapsule(this.#stream, CAPSULE_KINDS.request, message.id, frame);
    } else {
      message.done = true;
      appendCapsule(this.#stream, CAPSULE_KINDS.notice, 0, frame);
    }
    if (this.#anyWaiting) this.#serve();
  }

  writable(): Promise<void> {
    this.#draining ??= this.#stream.writable().finally(() => {
      this.#draining = undefined;
    });
    return this.#draining;
  }

  callOff(message: OutgoingMessage, code: number): void {
    if (message.written) appendCapsule(this.#stream, CAPSULE_KINDS.reset, message.id, resetFrame(code));
    else this.#unwritten--;
    this.release(message);
  }

  release(message: OutgoingMessage): void {
    message.done = true;
    if (message.line.answered) this.#unanswered.delete(message.id);
    this.#turns.give(message.line);
    if (this.#anyWaiting) this.#serve();
  }

  /** The rest of a capsule has not come. */
  expire(): void {
    this.#wire.context.counters.add('shared-stream-stalled');
    this.#break(RESET_CODES.deadline);
  }

  #hasRoom(): boolean {
    return this.#stream.pendingBytes + this.#unwritten * CAPSULE_MAX_BYTES <= BACKPRESSURE_BYTES;
  }

  #place(line: Line): OutgoingMessage {
    this.#turns.take(line);
    this.#unwritten++;
    if (!line.answered) return new OutgoingMessage(this, 0, line);
    const message = new OutgoingMessage(this, this.#owner.nextId(), line);
    this.#unanswered.add(message);
    return message;
  }

  #serve(): void {
    if (this.#ended) return;
    this.#turns.serve(
      () => this.#hasRoom(),
      (line) => this.#place(line),
    );
    this.#anyWaiting = this.#turns.waiting > 0;
    // Otherwise the next answer, or the writing of who was let on, comes back here.
    if (this.#anyWaiting && this.#stream.pendingBytes > BACKPRESSURE_BYTES) this.#serveWhenDrained();
  }

  #serveWhenDrained(): void {
    if (this.#waitsForPeer) return;
    this.#waitsForPeer = true;
    const goOn = (): void => {
      this.#waitsForPeer = false;
      this.#serve();
    };
    this.writable().then(goOn, () => {});
  }

  // ── answers ──────────────────────────────────────────────────────────────────────────────────

  #receive(chunk: Uint8Array, fin: boolean): void {
    this.#reader.feed(chunk);
    const wasPartial = this.#reader.isPartial;
    let capsules = 0;
    try {
      for (; !this.#ended && this.#reader.next(); capsules++) this.#capsule();
      if (fin && !this.#ended) throw malformedCapsule();
    } catch {
      this.#wire.context.counters.add('malformed:capsule');
      this.#break(RESET_CODES.malformed);
      this.#wire.blame(MALFORMED_POINTS);
      return;
    }
    if (!this.#reader.isPartial) this.#wire.context.deadlines.clear(this.#deadline);
    else if (!this.#ended && (capsules > 0 || !wasPartial)) this.#wire.expireAfter(this.#deadline, HEADER_DEADLINE_MS);
  }

  #capsule(): void {
    const { kind, id, frame } = this.#reader;
    const message = this.#unanswered.get(id);
    if (kind === CAPSULE_KINDS.answer) {
      // Otherwise it was called off meanwhile.
      if (message === undefined) return;
      this.release(message);
      try {
        message.onData(frame, true);
      } catch (error) {
        this.#wire.failed(error);
      }
    } else if (kind === CAPSULE_KINDS.reset) {
      if (message === undefined) return;
      this.release(message);
      this.#abort(message, { by: 'peer', code: frame[0] });
    } else if (kind === CAPSULE_KINDS.elsewhere) {
      const streamId = decodeElsewhere(frame);
      if (message === undefined) return;
      message.elsewhere = streamId;
      this.#owner.expectAnswerOn(streamId);
    } else {
      throw malformedCapsule();
    }
  }

  #abort(message: OutgoingMessage, reason: StreamAbort): void {
    try {
      message.onAbort(reason);
    } catch (error) {
      this.#wire.failed(error);
    }
  }

  // ── the end ──────────────────────────────────────────────────────────────────────────────────

  #break(code: number): void {
    this.#stream.abort(code);
    this.#end({ by: 'peer', code });
  }

  #end(reason: StreamAbort): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#wire.context.deadlines.clear(this.#deadline);
    this.#owner.ended(this);
    const { connection } = this;
    this.#turns.serveAll(async ({ answered }) => (answered ? connection.openBi() : connection.openUni()));
    for (const message of [...this.#unanswered]) {
      this.release(message);
      this.#abort(message, reason);
    }
  }
}
