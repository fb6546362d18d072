import { EXTENSION_CODE } from '../sdk/message.ts';
import type { IncomingStream } from '../transport/transport.ts';
import type { Usage } from './budget.ts';
import { Expiring } from './deadlines.ts';
import { FrameReader } from './frame.ts';
import * as limits from './limits.ts';
import type { Link } from './link.ts';
import type { Serving, Slot, SlotOwner } from './slot-table.ts';

/**
 * Where a stream is:
 *
 *   reading ─► waiting ─► running ─► answering ─► done
 *      │  ▲       (whole frame: its plugin is held, or the in-flight limit reached)
 *      ▼  │
 *     paused      (part of a frame: its plugin is held, or no room for the rest)
 */
export type InboundState = 'reading' | 'paused' | 'waiting' | 'running' | 'answering' | 'done';

/** Why a frame is not handled; what a peer is told in a Refused frame, next to peer-visible handler codes. */
export type Refusal =
  | 'unsupported'
  | 'malformed'
  | 'too-large'
  | 'rate-limited'
  | 'over-capacity'
  | 'interrupted'
  | 'deadline'
  | 'failed';

/** The reading half of a stream a peer opened: header, admission, payload. What to do with the frame is for `Inbound`. */
export abstract class InboundFrame extends Expiring {
  protected readonly link: Link;
  protected readonly stream: IncomingStream;
  protected readonly reader = new FrameReader();
  protected state: InboundState = 'reading';
  protected slot: Slot | undefined;
  protected usage: Usage | undefined;
  /** The peer's half has ended. */
  protected finished = false;
  #whole = false;
  #reserved = false;
  #ignorable = limits.TRAILING_MAX_BYTES;

  constructor(link: Link, stream: IncomingStream) {
    super();
    this.link = link;
    this.stream = stream;
    this.restartDeadline(limits.HEADER_DEADLINE_MS);
  }

  /** Declared payload bytes. */
  get bytes(): number {
    return this.reader.length;
  }

  get done(): boolean {
    return this.state === 'done';
  }

  /** Takes the payload; `payload` is valid during the call only, unless the reader buffered it. */
  protected abstract complete(payload: Uint8Array): void;
  /** Always gives false, for `return this.refuse(...)`. */
  /** The hold of its plugin is over. */
  abstract released(): void;
  protected abstract refuse(why: Refusal, retryAfterMs?: number): false;

  read(chunk: Uint8Array, fin: boolean): void {
    if (fin) this.finished = true;
    if (this.state !== 'reading') {
      this.#ignore(chunk.length);
      return;
    }
    let offset = 0;
    if (this.reader.code === -1) {
      offset = this.reader.header(chunk);
      if (offset === -1) {
        if (fin) this.blame('malformed', 'truncated');
        return;
      }
      const partial = chunk.length - offset < this.reader.length;
      if (!this.#accepts()) {
        this.#ignore(chunk.length - offset);
        return;
      }
      if (partial && !fin) this.#makeRoom();
    }
    this.#take(chunk, offset, fin);
  }

  /** There is room for the rest now; the reservation is made. */
  admitted(): void {
    this.#reserved = true;
    this.state = 'reading';
    this.stream.resume();
  }

  /** Reads on after a hold. */
  protected unpause(): void {
    if (this.link.reserve(this, this.bytes)) this.admitted();
  }

  /** Slot, kind, size and budget of a frame whose message is known. */
  protected affords({ message }: Serving, length: number): boolean {
    if (message.stream !== this.stream.kind) return this.blame('malformed', 'wrong-stream');
    if (length > message.maxBytes) return this.blame('too-large');
    const now = this.link.context.clock.monotonic();
    this.usage = this.link.account.usage(this.slot as Slot, message.budget, now);
    const waitMs = this.usage.take(message.budget, now);
    return waitMs === 0 || this.refuse('rate-limited', waitMs);
  }

  /** Refuses what no working peer sends; `detail` is counted as `malformed:<detail>`. */
  protected blame(why: 'malformed' | 'too-large', detail?: string): false {
    if (detail !== undefined) this.link.context.counters.add(`malformed:${detail}`);
    this.refuse(why);
    this.link.blame(limits.MALFORMED_POINTS);
    return false;
  }

  protected restartDeadline(ms: number): void {
    const { deadlines, clock } = this.link.context;
    deadlines.set(this, clock.monotonic() + ms);
  }

  /** A hold is our doing: it does not use up the peer's time. */
  suspendDeadline(): void {
    this.link.context.deadlines.clear(this);
  }

  /** A full hold queue: the connection is not read on until the release. */
  protected blockFor(owner: SlotOwner): void {
    if (owner.blocked.has(this.link)) return;
    owner.blocked.add(this.link);
    this.link.block();
    this.link.context.counters.add('held-at-cap');
  }

  /** Lets go of buffer and reservation: the payload is decoded, or will not be. */
  protected free(): void {
    this.link.context.bufferedBytes -= this.reader.buffered;
    this.reader.free();
    if (!this.#reserved) return;
    this.#reserved = false;
    this.link.unreserve(this.bytes);
  }

  /** The last of it; the stream lingers, within its deadline, until the peer has ended its half. */
  protected finish(): void {
    if (this.state === 'done') return;
    this.state = 'done';
    if (!this.#whole && this.reader.code !== -1) {
      this.#ignorable += Math.min(this.bytes, limits.FRAME_MAX_BYTES) - this.reader.buffered;
    }
    this.free();
    if (!this.finished && this.stream.kind === 'uni') this.reset(limits.RESET_CODES.refused);
    if (this.finished) this.link.context.deadlines.clear(this);
    else if (this.bucket === -1) this.restartDeadline(limits.HEADER_DEADLINE_MS);
  }

  protected reset(code: number): void {
    this.finished = true;
    this.link.context.deadlines.clear(this);
    this.stream.abort(code);
  }

  #accepts(): boolean {
    const { table, counters } = this.link.context;
    const { code, length } = this.reader;
    this.link.touch();
    counters.add('frames-in');
    if (length > limits.FRAME_MAX_BYTES) return this.blame('too-large');
    if (code === EXTENSION_CODE) {
      // Whose it is shows only in the payload; no more of it is read than the largest one allowed.
      if (table.extensionMaxBytes === 0) return this.refuse('unsupported');
      return length <= table.extensionMaxBytes || this.blame('too-large');
    }
    this.slot = table.byCode[code];
    const serving = this.slot?.serving;
    if (serving === undefined) return this.refuse('unsupported');
    this.restartDeadline(serving.message.deadlineMs);
    return this.affords(serving, length);
  }

  /** The frame comes in pieces: pauses it where there is no room for the rest. */
  #makeRoom(): void {
    const owner = this.slot?.serving?.owner;
    if (owner?.held && !owner.hasRoom(this.bytes)) {
      owner.queue.push(this);
      this.suspendDeadline();
      this.blockFor(owner);
    } else if (this.link.reserve(this, this.bytes)) {
      this.#reserved = true;
      return;
    }
    this.state = 'paused';
    this.stream.pause();
  }

  #take(chunk: Uint8Array, offset: number, fin: boolean): void {
    const { context } = this.link;
    const before = this.reader.buffered;
    const payload = this.reader.body(chunk, offset);
    context.bufferedBytes += this.reader.buffered - before;
    if (payload !== undefined) {
      this.#whole = true;
      const trailing = chunk.length - offset - (this.bytes - before);
      this.complete(payload);
      if (trailing > 0 || this.finished) this.#ignore(trailing);
    } else if (fin) {
      this.blame('malformed', 'truncated');
    } else if (context.bufferedBytes > limits.BUFFERED_MAX_BYTES) {
      this.refuse('over-capacity');
    }
  }

  /** Bytes nobody reads: behind the frame, or of a refused one. */
  #ignore(bytes: number): void {
    const { counters, deadlines } = this.link.context;
    if (bytes > 0) counters.add('ignored-bytes', bytes);
    if (this.finished) {
      if (this.state === 'done') deadlines.clear(this);
      return;
    }
    this.#ignorable -= bytes;
    if (this.#ignorable >= 0) return;
    counters.add('endless-streams');
    this.reset(limits.RESET_CODES.refused);
    this.link.blame(limits.MALFORMED_POINTS);
  }
}
