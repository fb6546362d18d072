import { ItsgoinError } from '../sdk/errors.ts';
import type { PeerId } from '../sdk/identifiers.ts';
import { EXTENSION_CODE } from '../sdk/message.ts';
import type { IncomingCall } from '../sdk/plugin.ts';
import type { StreamAbort } from '../transport/transport.ts';
import { REFUSED_CODE, catalogueEntry } from './catalogue.ts';
import { wireErrors } from './errors.ts';
import { FRAME_HEADER_BYTES, encodeFrame } from './frame.ts';
import { InboundFrame } from './inbound-frame.ts';
import type { Refusal } from './inbound-frame.ts';
import * as limits from './limits.ts';
import { decodePayload } from './payload.ts';
import type { Serving } from './slot-table.ts';

/** What a payload gives that is none. */
const MALFORMED = Symbol('malformed');

/**
 * One stream a peer opened, from its frame to the answer. It is itself the `IncomingCall` of the
 * handler, so that a call costs one object; signal and timers are made only when asked for.
 */
export class Inbound extends InboundFrame implements IncomingCall {
  /** Our copy of a whole frame that has to wait. */
  #kept: Uint8Array | undefined;
  /** What runs the call; set when the handler starts. */
  #serving: Serving | undefined;
  #hasPlace = false;
  /** Nobody wants an answer, or it has gone out. */
  #settled = false;
  #interrupted = false;
  #controller: AbortController | undefined;
  #reason: Error | undefined;

  get peer(): PeerId {
    return this.link.connection.peer;
  }

  get connectionId(): number {
    return this.link.connection.id;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#reason !== undefined) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  protected complete(payload: Uint8Array): void {
    let body: unknown;
    if (this.reader.code === EXTENSION_CODE) {
      body = this.#openEnvelope(payload);
      if (body === MALFORMED) return;
    }
    const owner = this.slot?.serving?.owner;
    if (owner?.queues) {
      const room = owner.hasRoom(this.bytes);
      this.#keep(payload);
      this.suspendDeadline();
      owner.queue.push(this);
      owner.queuedBytes += this.bytes;
      if (!room) this.blockFor(owner);
    } else {
      this.#startOrWait(payload, body);
    }
  }

  /** The swap is over, or the plugin is gone: goes on where the hold stopped it. */
  released(): void {
    if (this.state === 'paused') {
      this.resumeDeadline();
      this.unpause();
    } else if (this.state === 'waiting') {
      this.resumeDeadline();
      this.#startOrWait(this.#kept as Uint8Array, undefined);
    }
  }

  /** How many of its message may run for one peer; any number when it is no longer served and only to be refused. */
  get places(): number {
    return this.slot?.serving?.message.budget.inFlight ?? Number.POSITIVE_INFINITY;
  }

  /** Leaves the line for the in-flight limit, which `Usage.pump` took it out of. */
  start(): void {
    this.link.waiting(-this.bytes);
    const serving = this.slot?.serving;
    if (serving === undefined) this.refuse('unsupported');
    else this.#start(serving, this.#kept as Uint8Array, undefined);
  }

  resumeDeadline(): void {
    this.restartDeadline(this.#deadlineMs());
  }

  /** The swap gave up on the handler; what it still answers is sent. */
  interrupt(): void {
    this.#interrupted = true;
    this.link.context.counters.add(`interrupted:${this.#name()}`);
    this.#abort(wireErrors.make('interrupted', { name: this.#name() }));
    this.#leavePlace();
  }

  /** The connection ended while the handler runs. */
  disconnected(): void {
    if (this.state !== 'running') return;
    this.#settled = true;
    this.#abort(wireErrors.make('connection-closed', { name: this.#name(), reason: this.#closeReason() }));
  }

  aborted(reason: StreamAbort): void {
    const { deadlines, counters } = this.link.context;
    const whole = this.state === 'waiting' || this.state === 'running';
    this.finished = true;
    if (this.state === 'done') {
      deadlines.clear(this);
    } else if (whole && this.stream.kind === 'uni') {
      // The notice has arrived; how its stream ends is of no importance.
      if (reason.by === 'connection') this.disconnected();
    } else if (this.state === 'running') {
      counters.add(`cancelled:${this.#name()}`);
      this.disconnected();
    } else {
      counters.add(`cancelled:${this.#name()}`);
      if (this.state === 'waiting') this.#leaveWaiting();
      this.#end('cancelled');
    }
  }

  expire(): void {
    const { counters } = this.link.context;
    if (this.state === 'done') {
      counters.add('unfinished-streams');
      this.reset(limits.RESET_CODES.deadline);
      return;
    }
    counters.add(`deadline:${this.#name()}`);
    if (this.state === 'running') {
      // The handler keeps its place until it returns, so that one that ignores its signal cannot pile up.
      this.#abort(wireErrors.make('deadline', { name: this.#name(), ms: this.#deadlineMs() }));
      this.#sendRefusal('deadline');
      this.#settled = true;
    } else if (this.state === 'waiting') {
      this.#leaveWaiting();
      this.refuse('deadline');
    } else {
      this.reset(limits.RESET_CODES.deadline);
      this.#end('deadline');
    }
  }

  protected refuse(why: Refusal, retryAfterMs?: number): false {
    this.link.context.counters.add(why);
    this.link.context.counters.add(`${why}:${this.#name()}`);
    this.#sendRefusal(why, retryAfterMs);
    this.#end(why);
    return false;
  }

  // ── running ──────────────────────────────────────────────────────────────────────────────────

  #startOrWait(payload: Uint8Array, body: unknown): void {
    const serving = this.slot?.serving;
    const usage = this.usage;
    if (serving === undefined || usage === undefined) {
      this.refuse('unsupported');
    } else if (usage.inFlight >= serving.message.budget.inFlight || usage.waiting.length > 0) {
      if (this.#kept === undefined) this.#keep(payload);
      usage.waiting.push(this);
      serving.owner.waiters.add(usage);
      this.link.waiting(this.bytes);
    } else {
      this.#start(serving, payload, body);
    }
  }

  /** `body` is given when the payload has been decoded already. */
  #start(serving: Serving, payload: Uint8Array, body: unknown): void {
    if (body === undefined)
      body = this.reader.code === EXTENSION_CODE ? this.#openEnvelope(payload) : this.#decode(payload);
    if (body === MALFORMED) return;
    if (!serving.request.check(body)) {
      this.blame('malformed', 'schema');
      return;
    }
    this.#kept = undefined;
    this.free();
    this.#serving = serving;
    this.state = 'running';
    this.#hasPlace = true;
    if (this.usage !== undefined) this.usage.inFlight++;
    let result: unknown;
    try {
      result = serving.handler(body, this);
    } catch (error) {
      this.#fail(error);
      return;
    }
    if (result instanceof Promise || isThenable(result)) {
      serving.owner.running.add(this);
      this.link.running.add(this);
      (result as PromiseLike<unknown>).then(
        (value) => this.#answer(value),
        (error: unknown) => this.#fail(error),
      );
    } else {
      this.#answer(result);
    }
  }

  #answer(value: unknown): void {
    const { message, answer } = this.#serving as Serving;
    if (this.#settled || answer === undefined || message.response === undefined) {
      this.#stop(this.#settled ? 'cancelled' : 'ok');
      return;
    }
    if (!answer.check(value)) {
      this.#broken('bad-answer', answer.explain(value));
      return;
    }
    const { code, name, maxBytes } = message.response;
    const extension = code === EXTENSION_CODE;
    let frame: Uint8Array;
    try {
      frame = encodeFrame(
        code,
        extension ? { name, body: value } : value,
        extension ? maxBytes + limits.EXTENSION_ENVELOPE_BYTES : maxBytes,
      );
    } catch (error) {
      this.#broken('bad-answer', error instanceof Error ? error.message : 'not JSON');
      return;
    }
    this.#send(code, name, frame, 'sent');
    if (this.stream.pendingBytes <= limits.BACKPRESSURE_BYTES) {
      this.#stop('ok');
      return;
    }
    // The place in the handler is kept, so that a peer that does not read cannot pile up answers.
    this.state = 'answering';
    this.#leaveRunning();
    const end = () => this.#stop('ok');
    this.stream.writable().then(end, end);
  }

  #fail(error: unknown): void {
    const known = error instanceof ItsgoinError ? error : undefined;
    const { counters, log } = this.link.context;
    const why = this.#interrupted ? 'interrupted' : known?.peerVisible ? known.code : 'failed';
    counters.add(`failed:${this.#name()}`);
    if (known?.blamesPeer) {
      counters.add(`forged:${this.#name()}`);
    } else if (known === undefined && this.#reason === undefined) {
      log.warn('handler-failed', { message: this.#name(), peer: this.peer.nodeId, error });
    }
    if (!this.#settled) this.#sendRefusal(why);
    this.#stop(why);
    if (known?.blamesPeer) this.link.blame(limits.FORGED_POINTS);
  }

  /** Our own plugin answered what it had not declared. */
  #broken(counter: string, detail: string): void {
    const { counters, log } = this.link.context;
    counters.add(`${counter}:${this.#name()}`);
    log.error(counter, { message: this.#name(), detail });
    this.#sendRefusal('failed');
    this.#stop('failed');
  }

  #stop(outcome: string): void {
    this.#leaveRunning();
    this.#leavePlace();
    this.#end(outcome);
  }

  #leaveRunning(): void {
    this.link.running.delete(this);
    this.#serving?.owner.ended(this);
  }

  #leavePlace(): void {
    if (!this.#hasPlace || this.usage === undefined || this.#serving === undefined) return;
    this.#hasPlace = false;
    this.usage.inFlight--;
    if (this.usage.waiting.length > 0) this.usage.pump(this.#serving.owner);
  }

  #leaveWaiting(): void {
    const at = this.usage?.waiting.indexOf(this) ?? -1;
    if (at === -1) return;
    this.usage?.waiting.splice(at, 1);
    this.link.waiting(-this.bytes);
  }

  #abort(reason: Error): void {
    this.#reason ??= reason;
    this.#controller?.abort(this.#reason);
  }

  // ── payload ──────────────────────────────────────────────────────────────────────────────────

  #keep(payload: Uint8Array): void {
    this.#kept = this.reader.buffered > 0 ? payload : Buffer.from(payload);
    this.state = 'waiting';
  }

  #decode(payload: Uint8Array): unknown {
    try {
      const value = decodePayload(payload);
      // TypeBox takes an array for an object whose schema has no required keys.
      if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
      this.blame('malformed', 'no-object');
      return MALFORMED;
    } catch (error) {
      this.blame('malformed', error instanceof ItsgoinError ? String(error.data.reason) : 'json');
      return MALFORMED;
    }
  }

  /** The body of an extension frame `{name, body}`; finds the slot of that name at the first call. */
  #openEnvelope(payload: Uint8Array): unknown {
    const envelope = this.#decode(payload);
    if (envelope === MALFORMED) return MALFORMED;
    const { name, body } = envelope as { name?: unknown; body?: unknown };
    if (typeof name !== 'string' || body === undefined) {
      this.blame('malformed', 'envelope');
      return MALFORMED;
    }
    if (this.slot !== undefined) return body;
    this.slot = this.link.context.table.byName.get(name);
    const serving = this.slot?.serving;
    if (serving === undefined) {
      this.refuse('unsupported');
      return MALFORMED;
    }
    this.restartDeadline(serving.message.deadlineMs);
    return this.affords(serving, Math.max(0, this.bytes - limits.EXTENSION_ENVELOPE_BYTES)) ? body : MALFORMED;
  }

  // ── out ──────────────────────────────────────────────────────────────────────────────────────

  #sendRefusal(code: string, retryAfterMs?: number): void {
    if (this.stream.kind === 'uni' || this.#settled || this.link.closed) return;
    this.#settled = true;
    const body = retryAfterMs === undefined ? { code } : { code, retry_after_ms: retryAfterMs };
    this.#send(REFUSED_CODE, 'Refused', encodeFrame(REFUSED_CODE, body, limits.REFUSED_MAX_BYTES), code);
  }

  #send(code: number, name: string, frame: Uint8Array, outcome: string): void {
    const { trace } = this.link.context;
    if (!this.link.write(this.stream, frame) || !trace.active) return;
    this.#record('out', code, name, frame.length, outcome);
  }

  #end(outcome: string): void {
    if (this.state === 'done') return;
    if (this.link.context.trace.active && this.reader.code !== -1) {
      this.#record('in', this.reader.code, this.#name(), this.bytes + FRAME_HEADER_BYTES, outcome);
    }
    this.#kept = undefined;
    this.finish();
  }

  #record(direction: 'in' | 'out', code: number, name: string, bytes: number, outcome: string): void {
    const { stream, connectionId: connection } = this;
    const peer = this.peer.nodeId;
    this.link.context.trace.record({ direction, peer, connection, code, name, stream: stream.kind, bytes, outcome });
  }

  #name(): string {
    return this.slot?.name ?? catalogueEntry(this.reader.code)?.name ?? 'unknown';
  }

  #deadlineMs(): number {
    return this.slot?.serving?.message.deadlineMs ?? limits.HEADER_DEADLINE_MS;
  }

  #closeReason(): string {
    return this.link.connection.closed?.reason ?? 'cancelled by the peer';
  }
}

function isThenable(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}
