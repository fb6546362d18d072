import type { Connection, IncomingStream, StreamAbort, TransportStream } from '../../transport/transport.ts';
import type { StreamReader } from '../calls.ts';
import { REFUSED_CODE } from '../catalogue.ts';
import { Deadline } from '../deadlines.ts';
import type { Expiring } from '../deadlines.ts';
import { encodeFrame } from '../frame.ts';
import {
  BACKPRESSURE_BYTES,
  HEADER_DEADLINE_MS,
  MALFORMED_POINTS,
  REFUSED_MAX_BYTES,
  RESET_CODES,
  SHARED_TURN_MAX,
  SHARED_UNANSWERED_MAX,
} from '../limits.ts';
import type { SharedHost } from './host.ts';
import { IdTable } from './id-table.ts';
import { IncomingRequest, NoticeStream } from './incoming-request.ts';
import type { RequestHost } from './incoming-request.ts';
import {
  ANSWER_STREAM_CODE,
  CAPSULE_KINDS,
  CapsuleReader,
  elsewhereFrame,
  appendCapsule,
  resetFrame,
  fitsCapsule,
  malformedCapsule,
} from './capsule.ts';

const END = new Uint8Array(0);

/** Whose shared stream it is. */
export interface IncomingOwner {
  /** Takes over a message as if it had a stream of its own. */
  receive(stream: IncomingStream): StreamReader;
  ended(stream: IncomingSharedStream): void;
}

/**
 * A shared stream that the peer opened: its requests and notices come in on it, and answers go back.
 *
 * It is not read on while the connection leaves new streams unread, while the peer leaves many answers
 * unread, and after its share of a turn of the event loop.
 */
export class IncomingSharedStream implements StreamReader, RequestHost, Expiring {
  readonly connection: Connection;
  readonly #wire: SharedHost;
  readonly #stream: TransportStream;
  readonly #owner: IncomingOwner;
  readonly #notices: NoticeStream;
  readonly #reader = new CapsuleReader();
  readonly #deadline = new Deadline(this);
  readonly #requests = new IdTable<IncomingRequest>();
  #started = false;
  #reading = false;
  #paused = false;
  #finished = false;
  #ended = false;
  /** Capsules of this turn. */
  #inTurn = 0;
  /** It has had its share, and the next turn is waited for. */
  #turnOver = false;
  /** The peer has left many answers unread. */
  #waitsForPeer = false;
  #draining: Promise<void> | undefined;

  constructor(wire: SharedHost, stream: TransportStream, owner: IncomingOwner) {
    this.connection = wire.connection;
    this.#wire = wire;
    this.#stream = stream;
    this.#owner = owner;
    this.#notices = new NoticeStream(wire.connection);
  }

  get pendingBytes(): number {
    return this.#stream.pendingBytes;
  }

  read(chunk: Uint8Array, fin: boolean): void {
    if (this.#ended) return;
    // The first byte said that it is a shared stream.
    this.#reader.feed(this.#started ? chunk : chunk.subarray(1));
    this.#started = true;
    if (fin) this.#finished = true;
    this.readOn();
  }

  /** Reads what is here, as far as that may be now. */
  readOn(): void {
    if (this.#reading || this.#ended) return;
    this.#reading = true;
    const wasPartial = this.#reader.isPartial;
    let capsules = 0;
    try {
      while (!this.#stalled && this.#reader.next()) {
        capsules++;
        this.#count();
        this.#capsule();
      }
      if (this.#finished && !this.#stalled && this.#reader.isPartial) throw malformedCapsule();
    } catch {
      this.#wire.context.counters.add('malformed:capsule');
      this.#break(RESET_CODES.malformed);
      this.#wire.blame(MALFORMED_POINTS);
    }
    this.#reading = false;
    if (this.#ended) return;
    if (this.#stalled) this.#pause();
    else this.#resume(capsules > 0 || !wasPartial);
  }

  /** The peer or the connection ended it. */
  aborted(reason: StreamAbort): void {
    this.#end(reason);
  }

  /** The rest of a capsule has not come. */
  expire(): void {
    this.#wire.context.counters.add('shared-stream-stalled');
    this.#break(RESET_CODES.deadline);
  }

  // ── answers ──────────────────────────────────────────────────────────────────────────────────

  answer(request: IncomingRequest, frame: Uint8Array): TransportStream | Promise<TransportStream> | undefined {
    if (fitsCapsule(frame.length)) {
      appendCapsule(this.#stream, CAPSULE_KINDS.answer, request.id, frame);
      this.#release(request);
      return undefined;
    }
    try {
      const opened = this.connection.openUni();
      if (!(opened instanceof Promise)) return this.#answerOn(opened, request, frame);
      return opened.then(
        (stream) => this.#answerOn(stream, request, frame),
        (error: unknown) => {
          this.leaveUnanswered(request, RESET_CODES.failed);
          throw error;
        },
      );
    } catch {
      this.leaveUnanswered(request, RESET_CODES.failed);
      return undefined;
    }
  }

  leaveUnanswered(request: IncomingRequest, code: number): void {
    appendCapsule(this.#stream, CAPSULE_KINDS.reset, request.id, resetFrame(code));
    this.#release(request);
  }

  writable(): Promise<void> {
    this.#draining ??= this.#stream.writable().finally(() => {
      this.#draining = undefined;
    });
    return this.#draining;
  }

  #answerOn(stream: TransportStream, request: IncomingRequest, frame: Uint8Array): TransportStream {
    appendCapsule(stream, ANSWER_STREAM_CODE, request.id, END);
    stream.write(frame, true);
    appendCapsule(this.#stream, CAPSULE_KINDS.elsewhere, request.id, elsewhereFrame(stream.id));
    this.#release(request);
    return stream;
  }

  #release(request: IncomingRequest): void {
    this.#requests.delete(request.id);
    this.#settle();
  }

  /** The peer sends no more, and has all answers. */
  #settle(): void {
    if (!this.#finished || this.#paused || this.#reading || this.#requests.size > 0) return;
    this.#stream.write(END, true);
    this.#end({ by: 'peer', code: undefined });
  }

  // ── capsules ──────────────────────────────────────────────────────────────────────────────────

  #capsule(): void {
    const { kind, id, frame } = this.#reader;
    if (kind === CAPSULE_KINDS.notice) {
      this.#read(this.#owner.receive(this.#notices), frame);
    } else if (kind === CAPSULE_KINDS.request) {
      if (this.#requests.get(id) !== undefined) throw malformedCapsule();
      this.#request(id, frame);
    } else if (kind === CAPSULE_KINDS.reset) {
      const request = this.#requests.get(id);
      // Otherwise its answer is on the way.
      if (request === undefined) return;
      this.#requests.delete(id);
      this.#endOf(request, { by: 'peer', code: frame[0] });
    } else {
      throw malformedCapsule();
    }
  }

  #request(id: number, frame: Uint8Array): void {
    if (this.#requests.size >= SHARED_UNANSWERED_MAX) {
      this.#wire.context.counters.add('over-capacity');
      const refused = encodeFrame(REFUSED_CODE, { code: 'over-capacity' }, REFUSED_MAX_BYTES);
      appendCapsule(this.#stream, CAPSULE_KINDS.answer, id, refused);
      return;
    }
    const request = new IncomingRequest(this, id);
    this.#requests.add(request);
    request.reader = this.#owner.receive(request);
    this.#read(request.reader, frame);
  }

  /** A failure of one is not that of the others on the stream. */
  #read(reader: StreamReader, frame: Uint8Array): void {
    try {
      reader.read(frame, true);
    } catch (error) {
      this.#wire.failed(error);
    }
  }

  #endOf(request: IncomingRequest, reason: StreamAbort): void {
    try {
      request.ended(reason);
    } catch (error) {
      this.#wire.failed(error);
    }
  }

  // ── reading on, or not ───────────────────────────────────────────────────────────────────────

  get #stalled(): boolean {
    return (
      this.#ended ||
      this.#wire.blocked ||
      this.#inTurn >= SHARED_TURN_MAX ||
      this.#stream.pendingBytes > BACKPRESSURE_BYTES
    );
  }

  /** That it is not read is our doing: the peer's time does not run. */
  #pause(): void {
    this.#wire.context.deadlines.clear(this.#deadline);
    this.#reader.detach();
    if (!this.#paused) {
      this.#paused = true;
      this.#stream.pause();
    }
    // An end of the blocking comes back here by itself.
    if (this.#inTurn >= SHARED_TURN_MAX) this.#nextTurn();
    if (this.#stream.pendingBytes > BACKPRESSURE_BYTES) this.#readWhenDrained();
  }

  #readWhenDrained(): void {
    if (this.#waitsForPeer) return;
    this.#waitsForPeer = true;
    const goOn = (): void => {
      this.#waitsForPeer = false;
      this.readOn();
    };
    this.writable().then(goOn, () => {});
  }

  #resume(restart: boolean): void {
    if (!this.#reader.isPartial) this.#wire.context.deadlines.clear(this.#deadline);
    else if (restart || !this.#deadline.isSet) this.#wire.expireAfter(this.#deadline, HEADER_DEADLINE_MS);
    if (this.#paused) {
      this.#paused = false;
      if (!this.#finished) this.#stream.resume();
    }
    this.#settle();
  }

  /** Promises run first, then what came for others; then this goes on. */
  #nextTurn(): void {
    if (this.#turnOver) return;
    this.#turnOver = true;
    setImmediate(() => {
      this.#turnOver = false;
      this.readOn();
    });
  }

  #count(): void {
    if (this.#inTurn++ > 0) return;
    queueMicrotask(() => {
      this.#inTurn = 0;
    });
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
    for (const request of [...this.#requests]) {
      this.#requests.delete(request.id);
      this.#endOf(request, reason);
    }
  }
}
