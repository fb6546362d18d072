import { ItsgoinError } from '../../sdk/errors.ts';
import { EXTENSION_CODE } from '../../sdk/message.ts';
import type { IncomingStream, StreamAbort } from '../../transport/transport.ts';
import type { WaitingCall } from '../calls.ts';
import { catalogueEntry } from '../catalogue.ts';
import { Deadline } from '../deadlines.ts';
import type { Expiring } from '../deadlines.ts';
import { wireErrors } from '../errors.ts';
import { FRAME_HEADER_BYTES } from '../frame.ts';
import * as limits from '../limits.ts';
import type { RouteOwner, Serving } from '../message-route.ts';
import { decodeEnvelope, decodeObject } from '../payload.ts';
import type { WireConnection } from '../wire-connection.ts';
import { Admission } from './admission.ts';
import { Answer } from './answer.ts';
import { FrameIntake } from './frame-intake.ts';
import type { IntakeCall } from './frame-intake.ts';
import { HandlerRun } from './handler-run.ts';
import type { RunOutcome } from './handler-run.ts';
import { UNSUPPORTED, blamesPeer, malformed } from './refusal.ts';
import type { Refusal } from './refusal.ts';

/**
 * One stream a peer opened, from its frame to the answer. Reading, admission, the handler and the
 * answer are parts of it; here is what leads from one to the next:
 *
 *   reading ─► waiting ─► running ─► answering ─► done
 *      ▲          (whole frame: its plugin is held, or the in-flight limit reached)
 *      ▼
 *    paused       (part of a frame: its plugin is held, or no room for the rest)
 */
export class Inbound implements IntakeCall, RunOutcome, WaitingCall, Expiring {
  readonly #wire: WireConnection;
  readonly #stream: IncomingStream;
  readonly #intake: FrameIntake;
  readonly #admission: Admission;
  readonly #answer: Answer;
  readonly #deadline = new Deadline(this);
  #state: 'reading' | 'waiting' | 'running' | 'answering' | 'done' = 'reading';
  /** Our copy of a whole frame that has to wait. */
  #kept: Uint8Array | undefined;
  #run: HandlerRun | undefined;

  constructor(wire: WireConnection, stream: IncomingStream) {
    this.#wire = wire;
    this.#stream = stream;
    this.#intake = new FrameIntake(wire, stream, this);
    this.#admission = new Admission(wire, stream.kind);
    this.#answer = new Answer(wire, stream);
    this.#restartDeadline(limits.HEADER_DEADLINE_MS);
  }

  read(chunk: Uint8Array, fin: boolean): void {
    this.#intake.read(chunk, fin);
  }

  /** The peer or the connection ended the stream. */
  aborted(reason: StreamAbort): void {
    const { deadlines } = this.#wire.context;
    const whole = this.#state === 'waiting' || this.#state === 'running';
    this.#intake.finished = true;
    if (this.#state === 'done') {
      deadlines.clear(this.#deadline);
    } else if (whole && this.#stream.kind === 'uni') {
      // The notice has arrived; how its stream ends is of no importance.
      if (reason.by === 'connection') this.disconnected();
    } else if (this.#state === 'running') {
      this.#count('cancelled');
      this.disconnected();
    } else {
      this.#count('cancelled');
      if (this.#state === 'waiting') this.#admission.leaveLine(this, this.#intake.bytes);
      this.#end('cancelled');
    }
  }

  expire(): void {
    if (this.#state === 'done') {
      this.#wire.context.counters.add('unfinished-streams');
      this.#reset(limits.RESET_CODES.deadline);
      return;
    }
    this.#count('deadline');
    if (this.#state === 'running') {
      // The handler keeps its place until it returns, so that one that ignores its signal cannot pile up.
      this.#run?.abort(wireErrors.make('deadline', { name: this.#name(), ms: this.#deadlineMs() }));
      this.#answer.refuse('deadline');
      this.#answer.settled = true;
    } else if (this.#state === 'waiting') {
      this.#admission.leaveLine(this, this.#intake.bytes);
      this.#refuse({ code: 'deadline' });
    } else {
      this.#reset(limits.RESET_CODES.deadline);
      this.#end('deadline');
    }
  }

  // ── the frame ────────────────────────────────────────────────────────────────────────────────

  accepts(): boolean {
    this.#wire.touch();
    this.#wire.context.counters.add('frames-in');
    return this.#admitted(this.#admission.byHeader(this.#intake.code, this.#intake.bytes));
  }

  heldBack(): boolean {
    const owner = this.#admission.serving?.owner;
    if (!owner?.held || owner.hasRoom(this.#intake.bytes)) return false;
    owner.queue.push(this);
    this.suspendDeadline();
    this.#block(owner);
    return true;
  }

  complete(payload: Uint8Array): void {
    let body: unknown;
    if (this.#intake.code === EXTENSION_CODE) {
      body = this.#decode(payload);
      if (body === undefined) return;
    }
    const owner = this.#admission.serving?.owner;
    if (owner?.queues) this.#hold(owner, payload);
    else this.#startOrWait(payload, body);
  }

  broken(fault: 'truncated' | 'no-room' | 'endless'): void {
    if (fault === 'truncated') {
      this.#refuse(malformed('truncated'));
    } else if (fault === 'no-room') {
      this.#refuse({ code: 'over-capacity' });
    } else {
      this.#wire.context.counters.add('endless-streams');
      this.#reset(limits.RESET_CODES.refused);
      this.#wire.blame(limits.MALFORMED_POINTS);
    }
  }

  peerFinished(): void {
    if (this.#state === 'done') this.#wire.context.deadlines.clear(this.#deadline);
  }

  // ── waiting ──────────────────────────────────────────────────────────────────────────────────

  get places(): number {
    return this.#admission.serving?.message.budget.inFlight ?? Number.POSITIVE_INFINITY;
  }

  released(): void {
    if (this.#intake.paused) {
      this.resumeDeadline();
      this.#intake.unpause();
    } else if (this.#state === 'waiting') {
      this.resumeDeadline();
      this.#startOrWait(this.#kept as Uint8Array, undefined);
    }
  }

  suspendDeadline(): void {
    this.#wire.context.deadlines.clear(this.#deadline);
  }

  resumeDeadline(): void {
    this.#restartDeadline(this.#deadlineMs());
  }

  start(): void {
    this.#wire.waiting(-this.#intake.bytes);
    const { serving } = this.#admission;
    if (serving === undefined) {
      this.#refuse(UNSUPPORTED);
    } else {
      this.#admission.place(serving.owner);
      this.#start(serving, this.#kept as Uint8Array, undefined);
    }
  }

  #hold(owner: RouteOwner, payload: Uint8Array): void {
    const room = owner.hasRoom(this.#intake.bytes);
    this.#keep(payload);
    this.suspendDeadline();
    owner.queue.push(this);
    owner.queuedBytes += this.#intake.bytes;
    if (!room) this.#block(owner);
  }

  /** A full hold queue: the connection is not read on until the release. */
  #block(owner: RouteOwner): void {
    if (owner.block(this.#wire)) this.#wire.context.counters.add('held-at-cap');
  }

  #keep(payload: Uint8Array): void {
    this.#kept = this.#intake.owned ? payload : Buffer.from(payload);
    this.#state = 'waiting';
  }

  // ── the handler ──────────────────────────────────────────────────────────────────────────────

  /** `body` is set when the payload has been decoded already. */
  #startOrWait(payload: Uint8Array, body: unknown): void {
    const { serving } = this.#admission;
    if (serving === undefined) {
      this.#refuse(UNSUPPORTED);
    } else if (this.#admission.enter(serving)) {
      this.#start(serving, payload, body);
    } else {
      if (this.#kept === undefined) this.#keep(payload);
      this.#admission.waitInLine(this, serving.owner, this.#intake.bytes);
    }
  }

  #start(serving: Serving, payload: Uint8Array, decoded: unknown): void {
    const body = decoded ?? this.#decode(payload);
    if (body === undefined) return;
    if (!serving.request.check(body)) {
      this.#refuse(malformed('schema'));
      return;
    }
    this.#kept = undefined;
    this.#intake.free();
    this.#state = 'running';
    this.#run = new HandlerRun(this.#wire, serving, this.#intake.bytes, this);
    this.#run.start(body);
  }

  answered(value: unknown): void {
    const run = this.#run as HandlerRun;
    if (this.#answer.settled || run.serving.answer === undefined) {
      this.#stop(this.#answer.settled ? 'cancelled' : 'ok');
      return;
    }
    try {
      this.#answer.respond(run.serving, value);
    } catch (error) {
      this.#badAnswer(error);
      return;
    }
    if (this.#stream.pendingBytes <= limits.BACKPRESSURE_BYTES) {
      this.#stop('ok');
      return;
    }
    // The place in the handler is kept, so that a peer that does not read cannot pile up answers.
    this.#state = 'answering';
    run.end();
    const end = () => this.#stop('ok');
    this.#stream.writable().then(end, end);
  }

  failed(error: unknown): void {
    const known = error instanceof ItsgoinError ? error : undefined;
    const run = this.#run as HandlerRun;
    const why = run.interrupted ? 'interrupted' : known?.peerVisible ? known.code : 'failed';
    this.#count('failed');
    if (known?.blamesPeer) {
      this.#count('forged');
    } else if (known === undefined && !run.aborted) {
      this.#wire.context.log.warn('handler-failed', { message: this.#name(), peer: run.peer.nodeId, error });
    }
    this.#answer.refuse(why);
    this.#stop(why);
    if (known?.blamesPeer) this.#wire.blame(limits.FORGED_POINTS);
  }

  interrupted(): void {
    this.#count('interrupted');
    this.#admission.leave();
  }

  disconnected(): void {
    if (this.#state !== 'running') return;
    this.#answer.settled = true;
    const reason = this.#wire.connection.closed?.reason ?? 'cancelled by the peer';
    this.#run?.abort(wireErrors.make('connection-closed', { name: this.#name(), reason }));
  }

  /** Our own plugin answered what it had not declared. */
  #badAnswer(error: unknown): void {
    this.#count('bad-answer');
    this.#wire.context.log.error('bad-answer', { message: this.#name(), error });
    this.#answer.refuse('failed');
    this.#stop('failed');
  }

  // ── refused, and the end ─────────────────────────────────────────────────────────────────────

  /** An object, or undefined when the payload was refused; the route of an extension frame is found at the first call. */
  #decode(payload: Uint8Array): unknown {
    try {
      if (this.#intake.code !== EXTENSION_CODE) return decodeObject(payload);
      const { name, body } = decodeEnvelope(payload);
      if (this.#admission.route !== undefined) return body;
      return this.#admitted(this.#admission.byName(name, this.#intake.bytes)) ? body : undefined;
    } catch (error) {
      this.#refuse(malformed(error instanceof ItsgoinError ? String(error.data.reason) : 'json'));
      return undefined;
    }
  }

  /** Acts on what the admission found: from here on the message's own deadline runs. */
  #admitted(refusal: Refusal | undefined): boolean {
    const { serving } = this.#admission;
    if (serving !== undefined) this.#restartDeadline(serving.message.deadlineMs);
    if (refusal === undefined) return true;
    this.#refuse(refusal);
    return false;
  }

  #refuse(refusal: Refusal): void {
    const { counters } = this.#wire.context;
    const { code, detail } = refusal;
    if (detail !== undefined) counters.add(`malformed:${detail}`);
    counters.add(code);
    this.#count(code);
    this.#answer.refuse(code, refusal.retryAfterMs);
    this.#admission.leave();
    this.#end(code);
    if (blamesPeer(refusal)) this.#wire.blame(limits.MALFORMED_POINTS);
  }

  #stop(outcome: string): void {
    this.#run?.end();
    this.#admission.leave();
    this.#end(outcome);
  }

  /** The last of it; the stream lingers, within its deadline, until the peer has ended its half. */
  #end(outcome: string): void {
    if (this.#state === 'done') return;
    const { code, bytes } = this.#intake;
    const { kind } = this.#stream;
    const { trace, deadlines } = this.#wire.context;
    if (trace.active && code !== -1) {
      const whole = bytes + FRAME_HEADER_BYTES;
      this.#wire.trace({ direction: 'in', code, name: this.#name(), stream: kind, bytes: whole, outcome });
    }
    this.#kept = undefined;
    this.#state = 'done';
    this.#intake.close();
    if (!this.#intake.finished && kind === 'uni') this.#reset(limits.RESET_CODES.refused);
    if (this.#intake.finished) deadlines.clear(this.#deadline);
    else if (!this.#deadline.isSet) this.#restartDeadline(limits.HEADER_DEADLINE_MS);
  }

  #reset(code: number): void {
    this.#intake.finished = true;
    this.#wire.context.deadlines.clear(this.#deadline);
    this.#stream.abort(code);
  }

  #restartDeadline(ms: number): void {
    const { deadlines, clock } = this.#wire.context;
    deadlines.set(this.#deadline, clock.monotonic() + ms);
  }

  #count(what: string): void {
    this.#wire.context.counters.add(`${what}:${this.#name()}`);
  }

  #name(): string {
    return this.#admission.route?.name ?? catalogueEntry(this.#intake.code)?.name ?? 'unknown';
  }

  #deadlineMs(): number {
    return this.#admission.serving?.message.deadlineMs ?? limits.HEADER_DEADLINE_MS;
  }
}
