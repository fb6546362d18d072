import { EXTENSION_CODE } from '../sdk/message.ts';
import type { AnyMessage, ResponseSpec } from '../sdk/message.ts';
import type { ItsgoinError } from '../sdk/errors.ts';
import type { SendOptions } from '../sdk/plugin.ts';
import type { Stream, StreamAbort } from '../transport/transport.ts';
import type { Connected } from './calls.ts';
import { REFUSED_CODE } from './catalogue.ts';
import { Deadline } from './deadlines.ts';
import type { Expiring } from './deadlines.ts';
import { wireErrors } from './errors.ts';
import { FRAME_HEADER_BYTES, FrameReader, RAW_LENGTH_FIELD, encodeFrame } from './frame.ts';
import * as limits from './limits.ts';
import { validatorOf } from '../sdk/validator.ts';
import { decodePayload } from './payload.ts';
import { RawReader } from './raw-reader.ts';
import type { WireConnection } from './wire-connection.ts';

/** Codes of a Refused frame that mean the same as an error of ours. */
const REFUSALS = new Map<unknown, 'unsupported' | 'rate-limited' | 'over-capacity' | 'interrupted'>([
  ['unsupported', 'unsupported'],
  ['rate-limited', 'rate-limited'],
  ['over-capacity', 'over-capacity'],
  ['interrupted', 'interrupted'],
]);
const END = new Uint8Array(0);
const REFUSAL_CODE = /^[a-z0-9][a-z0-9/-]{0,63}$/;

/** Frames of frozen bodies, as long as the body is held by whoever sends it. */
const ENCODED = new WeakMap<object, { readonly message: AnyMessage; readonly frame: Uint8Array }>();

/** One message on its way out, and the answer on its way back. */
export class Outbound implements Expiring, Connected {
  readonly promise: Promise<unknown>;
  rosterAt = -1;
  readonly #wire: WireConnection;
  readonly #message: AnyMessage;
  readonly #deadlineMs: number;
  readonly #signal: AbortSignal | undefined;
  readonly #reader = new FrameReader();
  readonly #deadline = new Deadline(this);
  #resolve!: (value: unknown) => void;
  #reject!: (reason: unknown) => void;
  #stream: Stream | undefined;
  #settled = false;
  /** Bytes behind the answer. */
  #trailing = 0;
  /** Our half is still open, so that a reset of it can tell the peer to stop its raw bytes. */
  #halfOpen = false;
  #raw: RawReader | undefined;

  constructor(wire: WireConnection, message: AnyMessage, options: SendOptions | undefined) {
    this.#wire = wire;
    this.#message = message;
    this.#signal = options?.signal;
    this.#deadlineMs = Math.min(message.deadlineMs, options?.deadlineMs ?? message.deadlineMs);
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  run(body: unknown): void {
    const { connection } = this.#wire;
    let frame: Uint8Array;
    try {
      frame = this.#encode(body);
      this.#signal?.throwIfAborted();
      const opened = this.#wire.open(this.#message, frame.length, this.#signal);
      if (!(opened instanceof Promise)) {
        this.#write(opened, frame);
        // A notice is on its way by now: there is nothing left to wait for.
        if (!this.#settled) this.#await();
        return;
      }
      this.#await();
      opened.then(
        (stream) => (this.#settled ? stream.abort(limits.RESET_CODES.cancelled) : this.#write(stream, frame)),
        (error: unknown) => this.#fail(this.#wire.closed ? this.#gone() : error),
      );
    } catch (error) {
      this.#fail(connection.closed === undefined ? error : this.#gone());
    }
  }

  /** The connection's end, the deadline and the caller's signal end the wait. */
  #await(): void {
    const { context } = this.#wire;
    this.#wire.sends.add(this);
    context.deadlines.set(this.#deadline, context.clock.monotonic() + this.#deadlineMs);
    this.#signal?.addEventListener('abort', this);
  }

  /** The caller's signal. */
  handleEvent(): void {
    this.#give(limits.RESET_CODES.cancelled, this.#signal?.reason);
  }

  expire(): void {
    if (this.#settled) {
      this.#stream?.abort(limits.RESET_CODES.deadline);
      return;
    }
    this.#wire.context.counters.add(`deadline-out:${this.#message.name}`);
    this.#give(limits.RESET_CODES.deadline, this.#error('deadline', { ms: this.#deadlineMs }));
  }

  disconnected(): void {
    this.#fail(this.#gone());
  }

  /** A frozen body goes to many and is checked and encoded once for all of them. */
  #encode(body: unknown): Uint8Array {
    if (!Object.isFrozen(body)) return this.#encoded(body);
    const known = ENCODED.get(body as object);
    if (known?.message === this.#message) return known.frame;
    const frame = this.#encoded(body);
    ENCODED.set(body as object, { message: this.#message, frame });
    return frame;
  }

  #encoded(body: unknown): Uint8Array {
    const { code, name, maxBytes, body: schema } = this.#message;
    const validator = validatorOf(schema);
    if (!validator.check(body)) throw this.#error('bad-body', { reason: validator.explain(body) });
    return code === undefined
      ? encodeFrame(EXTENSION_CODE, { name, body }, maxBytes + limits.EXTENSION_ENVELOPE_BYTES)
      : encodeFrame(code, body, maxBytes);
  }

  #write(stream: Stream, frame: Uint8Array): void {
    this.#stream = stream;
    stream.onAbort = (reason: StreamAbort) => this.#aborted(reason);
    if (this.#message.stream === 'bi') stream.onData = (chunk: Uint8Array, fin: boolean) => this.#read(chunk, fin);
    this.#halfOpen = this.#wire.carriesRaw(this.#message);
    if (!this.#wire.write(stream, frame, !this.#halfOpen)) {
      this.#fail(this.#gone());
      return;
    }
    const code = this.#message.code ?? EXTENSION_CODE;
    if (this.#wire.context.trace.active) this.#record('out', code, this.#message.name, frame.length, 'sent');
    if (this.#message.stream === 'bi') return;
    if (stream.pendingBytes <= limits.BACKPRESSURE_BYTES) {
      this.#succeed(undefined);
      return;
    }
    stream.writable().then(
      () => this.#succeed(undefined),
      () => this.#fail(this.#gone()),
    );
  }

  // ── the answer ───────────────────────────────────────────────────────────────────────────────

  #read(chunk: Uint8Array, fin: boolean): void {
    if (this.#settled) {
      this.#ignore(chunk.length, fin);
      return;
    }
    let offset = 0;
    if (this.#reader.code === -1) {
      offset = this.#reader.header(chunk);
      if (offset !== -1 && !this.#expected()) return;
    }
    const { context } = this.#wire;
    const before = this.#reader.buffered;
    const payload = offset === -1 ? undefined : this.#reader.body(chunk, offset);
    context.bufferedBytes += this.#reader.buffered - before;
    if (payload !== undefined) {
      const end = offset + this.#reader.length - before;
      this.#answered(payload);
      if (this.#raw === undefined) this.#ignore(chunk.length - end, fin);
      else if (end < chunk.length || fin) this.#raw.receive(chunk.subarray(end), fin);
    } else if (fin) {
      this.#bad('truncated');
    } else if (context.bufferedBytes > limits.BUFFERED_MAX_BYTES) {
      this.#give(limits.RESET_CODES.cancelled, this.#error('bad-response', { reason: 'no room for it here' }));
    }
  }

  /** Code and size, before anything is kept of it. */
  #expected(): boolean {
    const response = this.#response;
    const { code, length } = this.#reader;
    let limit = limits.REFUSED_MAX_BYTES;
    if (code !== REFUSED_CODE) {
      if (code !== response.code) return this.#bad(`code ${code}`);
      limit = response.maxBytes + (code === EXTENSION_CODE ? limits.EXTENSION_ENVELOPE_BYTES : 0);
    }
    return length <= limit || this.#bad('too large');
  }

  #answered(payload: Uint8Array): void {
    const { context } = this.#wire;
    const { code, length } = this.#reader;
    const response = this.#response;
    this.#wire.touch();
    context.counters.add('frames-in');
    let value: unknown;
    try {
      value = decodePayload(payload);
    } catch {
      this.#bad('malformed');
      return;
    }
    if (code === REFUSED_CODE) {
      this.#refused(value, length);
      return;
    }
    if (code === EXTENSION_CODE) {
      const envelope = (value ?? {}) as { name?: unknown; body?: unknown };
      value = envelope.name === response.name ? envelope.body : undefined;
    }
    const rawBytes = response.raw === undefined ? undefined : takeRawLength(value);
    const validator = validatorOf(response.body);
    if (!validator.check(value)) {
      this.#bad(validator.explain(value));
      return;
    }
    if (context.trace.active) this.#record('in', code, response.name, length + FRAME_HEADER_BYTES, 'ok');
    if (rawBytes === undefined) {
      this.#endHalf();
      this.#succeed(value);
    } else {
      this.#followed(value as object, rawBytes);
    }
  }

  /** Raw bytes follow the answer: from here on the stream is the reader's. */
  #followed(value: object, length: unknown): void {
    const stream = this.#stream;
    const { raw } = this.#response;
    if (stream === undefined || raw === undefined) return;
    if (!this.#halfOpen) {
      this.#give(limits.RESET_CODES.refused, this.#error('raw-not-offered', {}));
    } else if (typeof length !== 'number' || !Number.isSafeInteger(length) || length < 0 || length > raw.maxBytes) {
      this.#bad(`${String(length)} raw bytes`);
    } else {
      const { name } = this.#message;
      const options = { name, length, idleMs: raw.idleMs, signal: this.#signal };
      this.#raw = new RawReader(this.#wire, stream, options);
      this.#succeed({ ...value, bytes: this.#raw });
    }
  }

  /** No raw bytes follow. */
  #endHalf(): void {
    if (!this.#halfOpen) return;
    this.#halfOpen = false;
    this.#stream?.write(END, true);
  }

  #refused(value: unknown, length: number): void {
    const { code, retry_after_ms: retryAfterMs } = (value ?? {}) as { code?: unknown; retry_after_ms?: unknown };
    if (typeof code !== 'string' || !REFUSAL_CODE.test(code)) {
      this.#bad('refusal without a code');
      return;
    }
    const { context } = this.#wire;
    if (context.trace.active) this.#record('in', REFUSED_CODE, 'Refused', length + FRAME_HEADER_BYTES, code);
    context.counters.add(`refused-by-peer:${this.#message.name}`);
    const data: Record<string, string | number> = { code };
    if (typeof retryAfterMs === 'number') data.retry_after_ms = retryAfterMs;
    this.#endHalf();
    this.#fail(this.#error(REFUSALS.get(code) ?? 'refused', data));
  }

  #bad(reason: string): false {
    const { counters, trace } = this.#wire.context;
    counters.add(`bad-response:${this.#message.name}`);
    if (trace.active && this.#reader.code !== -1) {
      const bytes = this.#reader.length + FRAME_HEADER_BYTES;
      this.#record('in', this.#reader.code, this.#response.name, bytes, 'malformed');
    }
    this.#give(limits.RESET_CODES.malformed, this.#error('bad-response', { reason }));
    this.#wire.blame(limits.MALFORMED_POINTS);
    return false;
  }

  /** Behind the answer; the stream is let go when the peer ends it, sends too much, or the deadline comes. */
  #ignore(bytes: number, fin: boolean): void {
    const { counters, deadlines, clock } = this.#wire.context;
    if (this.#stream === undefined) return;
    this.#trailing += bytes;
    if (bytes > 0) counters.add('ignored-bytes', bytes);
    if (fin) {
      deadlines.clear(this.#deadline);
    } else if (this.#trailing > limits.TRAILING_MAX_BYTES) {
      deadlines.clear(this.#deadline);
      this.#stream?.abort(limits.RESET_CODES.refused);
    } else if (!this.#deadline.isSet) {
      deadlines.set(this.#deadline, clock.monotonic() + limits.HEADER_DEADLINE_MS);
    }
  }

  #aborted(reason: StreamAbort): void {
    if (this.#settled) this.#wire.context.deadlines.clear(this.#deadline);
    else if (reason.by === 'connection') this.#fail(this.#gone());
    else this.#fail(this.#resetByPeer(reason.code));
  }

  /** Where raw bytes were to follow, their end may overtake the answer. */
  #resetByPeer(code = 0): ItsgoinError {
    const { interrupted, failed, deadline } = limits.RESET_CODES;
    if (this.#halfOpen && code === interrupted) return this.#error('interrupted', {});
    if (this.#halfOpen && (code === failed || code === deadline)) return this.#error('raw-aborted', {});
    return this.#error('refused', { code: `stream-reset/${code}` });
  }

  /** Read only on bi-streams, which always have one. */
  get #response(): ResponseSpec {
    return this.#message.response as ResponseSpec;
  }

  // ── the end ──────────────────────────────────────────────────────────────────────────────────

  /** Fails and resets the stream. */
  #give(code: number, error: unknown): void {
    if (this.#settled) return;
    this.#stream?.abort(code);
    this.#stream = undefined;
    this.#fail(error);
  }

  #succeed(value: unknown): void {
    if (this.#end()) this.#resolve(value);
  }

  #fail(error: unknown): void {
    if (this.#end()) this.#reject(error);
  }

  #end(): boolean {
    if (this.#settled) return false;
    this.#settled = true;
    const { context } = this.#wire;
    context.deadlines.clear(this.#deadline);
    context.bufferedBytes -= this.#reader.buffered;
    this.#reader.free();
    this.#wire.sends.delete(this);
    this.#signal?.removeEventListener('abort', this);
    return true;
  }

  #gone(): ItsgoinError {
    const { reason = 'unknown', refused = false } = this.#wire.connection.closed ?? {};
    return this.#error(refused ? 'connection-refused' : 'connection-closed', { reason });
  }

  #error(name: Parameters<typeof wireErrors.make>[0], data: Record<string, string | number>): ItsgoinError {
    return wireErrors.make(name, { name: this.#message.name, peer: this.#wire.connection.peer.nodeId, ...data });
  }

  #record(direction: 'in' | 'out', code: number, name: string, bytes: number, outcome: string): void {
    this.#wire.trace({ direction, code, name, stream: this.#message.stream, bytes, outcome });
  }
}

/** Takes `raw_bytes` out of a response, so that the message's own schema need not know it. */
function takeRawLength(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, RAW_LENGTH_FIELD)) return undefined;
  const length: unknown = Reflect.get(value, RAW_LENGTH_FIELD);
  Reflect.deleteProperty(value, RAW_LENGTH_FIELD);
  return length;
}
