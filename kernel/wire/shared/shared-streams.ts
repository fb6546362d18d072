import type { AnyMessage } from '../../sdk/message.ts';
import type { IncomingStream, Stream, TransportStream } from '../../transport/transport.ts';
import type { StreamReader } from '../calls.ts';
import { MALFORMED_POINTS, RESET_CODES, SHARED_INCOMING_MAX } from '../limits.ts';
import type { SharedHost } from './host.ts';
import { AnswerStream } from './answer-stream.ts';
import { IncomingSharedStream } from './incoming-shared-stream.ts';
import type { IncomingOwner } from './incoming-shared-stream.ts';
import type { OutgoingMessage } from './outgoing-message.ts';
import { OutgoingSharedStream } from './outgoing-shared-stream.ts';
import type { SharedStreamOwner } from './outgoing-shared-stream.ts';
import { ANSWER_STREAM_CODE, SHARED_STREAMS, SHARED_STREAM_CODE, fitsCapsule } from './capsule.ts';

const MAX_ID = 0xffffffff;

/** The shared streams of one connection: one of ours for each priority, and those of the peer. */
export class SharedStreams implements SharedStreamOwner, IncomingOwner {
  readonly #wire: SharedHost;
  readonly #receive: (stream: IncomingStream) => StreamReader;
  readonly #outgoing = new Map<AnyMessage['priority'], OutgoingSharedStream>();
  readonly #incoming = new Set<IncomingSharedStream>();
  /** The peer ended one of ours: from then on every message gets a stream of its own. */
  #refused = false;
  #lastId = 0;

  /** `receive` takes over a stream with one message of the peer. */
  constructor(wire: SharedHost, receive: (stream: IncomingStream) => StreamReader) {
    this.#wire = wire;
    this.#receive = receive;
  }

  /** A stream for this message on a shared one; undefined when it has to have its own. */
  open(message: AnyMessage, frameBytes: number, signal: AbortSignal | undefined): Stream | Promise<Stream> | undefined {
    const wire = this.#wire;
    if (this.#refused || !fitsCapsule(frameBytes) || !wire.features.has(SHARED_STREAMS)) return undefined;
    if (wire.carriesRaw(message)) return undefined;
    const shared = this.#outgoing.get(message.priority) ?? this.#start(message.priority);
    return shared?.open(message, signal);
  }

  receive(stream: IncomingStream): StreamReader {
    return this.#receive(stream);
  }

  /** Who reads a stream that the peer opened, by its first bytes. */
  readerOf(stream: TransportStream & IncomingStream, chunk: Uint8Array): StreamReader {
    if (chunk[0] === SHARED_STREAM_CODE && stream.kind === 'bi') return this.#accept(stream);
    if (chunk[0] === ANSWER_STREAM_CODE && stream.kind === 'uni')
      return new AnswerStream(this.#wire, stream, (id) => this.#take(id));
    return this.#receive(stream);
  }

  /** Whether an answer comes on this stream of its own. */
  expects(streamId: number): boolean {
    for (const shared of this.#outgoing.values()) if (shared.expects(streamId)) return true;
    return false;
  }

  /** The connection's streams are read again. */
  readOn(): void {
    for (const shared of this.#incoming) shared.readOn();
  }

  nextId(): number {
    do this.#lastId = this.#lastId === MAX_ID ? 1 : this.#lastId + 1;
    while (this.#waiting(this.#lastId) !== undefined);
    return this.#lastId;
  }

  expectAnswerOn(streamId: number): void {
    this.#wire.readUnread(streamId);
  }

  ended(stream: OutgoingSharedStream | IncomingSharedStream): void {
    if (stream instanceof IncomingSharedStream) {
      this.#incoming.delete(stream);
      return;
    }
    this.#refused = true;
    for (const [priority, shared] of this.#outgoing) if (shared === stream) this.#outgoing.delete(priority);
  }

  #start(priority: AnyMessage['priority']): OutgoingSharedStream | undefined {
    const waiting = new AbortController();
    const opened = this.#wire.connection.openBi(waiting.signal);
    if (opened instanceof Promise) {
      // The peer's stream limit is reached: the message waits for a stream of its own.
      opened.catch(() => {});
      waiting.abort();
      return undefined;
    }
    const shared = new OutgoingSharedStream(this.#wire, opened, this);
    this.#outgoing.set(priority, shared);
    return shared;
  }

  #accept(stream: TransportStream): StreamReader {
    if (this.#incoming.size >= SHARED_INCOMING_MAX) {
      this.#wire.context.counters.add('too-many-shared-streams');
      stream.abort(RESET_CODES.refused);
      this.#wire.blame(MALFORMED_POINTS);
      return { read() {}, aborted() {} };
    }
    const shared = new IncomingSharedStream(this.#wire, stream, this);
    this.#incoming.add(shared);
    return shared;
  }

  /** The call whose answer begins on a stream of its own. */
  #take(id: number): OutgoingMessage | undefined {
    const message = this.#waiting(id);
    message?.release();
    return message;
  }

  #waiting(id: number): OutgoingMessage | undefined {
    for (const shared of this.#outgoing.values()) {
      const message = shared.unanswered(id);
      if (message !== undefined) return message;
    }
    return undefined;
  }
}
