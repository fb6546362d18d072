import { ItsgoinError, codeOf } from '../../sdk/errors.ts';
import { EXTENSION_CODE } from '../../sdk/message.ts';
import { AnswerWithBytes } from '../../sdk/raw-body.ts';
import type { IncomingStream, StreamAbort } from '../../transport/transport.ts';
import type { StreamReader } from '../calls.ts';
import { catalogueEntry } from '../catalogue.ts';
import { Deadline } from '../deadlines.ts';
import type { Expiring } from '../deadlines.ts';
import { wireErrors } from '../errors.ts';
import { FRAME_HEADER_BYTES } from '../frame.ts';
import * as limits from '../limits.ts';
import type { Serving } from '../message-route.ts';
import { decodeEnvelope, decodeObject } from '../payload.ts';
import type { WireConnection } from '../wire-connection.ts';
import { Admission } from './admission.ts';
import { Answer } from './answer.ts';
import { FrameIntake } from './frame-intake.ts';
import type { IntakeCall } from './frame-intake.ts';
import { HandlerRun } from './handler-run.ts';
import type { RunOutcome } from './handler-run.ts';
import { RawWriter, discard } from './raw-writer.ts';
import type { RawBytes, RawWriterCall } from './raw-writer.ts';
import { WaitingFrame } from './waiting-frame.ts';
import type { WaitingFrameCall } from './waiting-frame.ts';
import { UNSUPPORTED, blamesPeer, malformed } from './refusal.ts';
import type { Refusal } from './refusal.ts';

/**
 * One stream a peer opened, from its frame to the answer. Reading, admission, the handler and the
 * answer are parts of it; here is what leads from one to the next:
 *
 *   reading ─► waiting ─► running ─► answering ─► done
 *      ▲          (whole frame: its plugin is held, or the in-flight limit reached)
 *      ▼                     └─► streaming ──────┘
 *    paused                       (raw bytes follow the answer)
 *                 (part of a frame: its plugin is held, or no room for the rest)
 */
export class Inbound implements StreamReader, IntakeCall, RunOutcome, RawWriterCall, WaitingFrameCall, Expiring {
  rosterAt = -1;
  readonly #wire: WireConnection;
  readonly #stream: IncomingStream;
  readonly #intake: FrameIntake;
  readonly #admission: Admission;
  readonly #answer: Answer;
  readonly #deadline = new Deadline(this);
  #state: 'reading' | 'waiting' | 'running' | 'answering' | 'streaming' | 'done' = 'reading';
  #waiting: WaitingFrame | undefined;
  #run: HandlerRun | undefined;
  #writer: RawWriter | undefined;

  constructor(wire: WireConnection, stream: IncomingStream) {
    this.#wire = wire;
    this.#stream = stream;
    this.#intake = new FrameIntake(wire, stream, this);
    this.#admission = new Admission(wire, stream.kind);
    this.#answer = new Answer(wire, stream);
  }

  read(chunk: Uint8Array, fin: boolean): void {
    this.#intake.read(chunk, fin);
    if (this.#intake.code === -1 && !fin && !this.#deadline.isSet) this.restartDeadline(limits.HEADER_DEADLINE_MS);
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
    } else if (this.#state === 'running' || this.#state === 'streaming') {
      this.#count('cancelled');
      this.disconnected();
    } else {
      this.#count('cancelled');
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
      this.#run?.abort(this.#late());
      this.#answer.refuse('deadline');
      this.#answer.settled = true;
    } else if (this.#state === 'streaming') {
      this.#run?.abort(this.#late());
      this.#giveUpRaw('deadline', limits.RESET_CODES.deadline);
    } else if (this.#state === 'waiting') {
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
    this.#waitingFrame().holdPart(owner);
    return true;
  }

  complete(payload: Uint8Array): void {
    let body: unknown;
    if (this.#intake.code === EXTENSION_CODE) {
      body = this.#decode(payload);
      if (body === undefined) return;
    }
    const owner = this.#admission.serving?.owner;
    if (owner?.queues) {
      this.#state = 'waiting';
      this.#waitingFrame().hold(owner, payload);
    } else {
      this.#startOrWait(payload, body);
    }
  }

  broken(fault: 'truncated' | 'no-room' | 'endless'): void {
    if (fault === 'truncated') {
      this.#refuse(malformed('truncated'));
    } else if (fault === 'no-room') {
      this.#refuse({ code: 'over-capacity' });
    } else {
      this.#wire.context.counters.add('endless-streams');
      this.#reset(limits.RESET_CODES.refused);
      this.disconnected();
      this.#wire.blame(limits.MALFORMED_POINTS);
    }
  }

  peerFinished(): void {
    if (this.#state === 'done') this.#wire.context.deadlines.clear(this.#deadline);
  }

  // ── waiting ──────────────────────────────────────────────────────────────────────────────────

  suspendDeadline(): void {
    this.#wire.context.deadlines.clear(this.#deadline);
  }

  resumeDeadline(): void {
    this.restartDeadline(this.#deadlineMs());
  }

  proceed(payload: Uint8Array): void {
    this.#startOrWait(payload, undefined);
  }

  takeTurn(payload: Uint8Array): void {
    const { serving } = this.#admission;
    if (serving === undefined) {
      this.#refuse(UNSUPPORTED);
    } else {
      this.#admission.place(serving.owner);
      this.#start(serving, payload, undefined);
    }
  }

  #waitingFrame(): WaitingFrame {
    this.#waiting ??= new WaitingFrame(this.#wire, this.#intake, this.#admission, this);
    return this.#waiting;
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
      this.#state = 'waiting';
      this.#waitingFrame().waitInLine(serving.owner, payload);
    }
  }

  #start(serving: Serving, payload: Uint8Array, decoded: unknown): void {
    const body = decoded ?? this.#decode(payload);
    if (body === undefined) return;
    if (!serving.request.check(body)) {
      this.#refuse(malformed('schema'));
      return;
    }
    this.#waiting?.cancel();
    this.#intake.free();
    this.#state = 'running';
    this.#run = new HandlerRun(this.#wire, serving, this.#intake.bytes, this);
    this.#run.start(body);
  }

  answered(value: unknown): void {
    const run = this.#run as HandlerRun;
    if (this.#answer.settled || run.serving.answer === undefined) {
      if (value instanceof AnswerWithBytes) discard(value.source);
      this.#stop(this.#answer.settled ? 'cancelled' : 'ok');
      return;
    }
    if (run.interrupted && value instanceof AnswerWithBytes) {
      // The swap waits for it no longer, and the next one must not have to.
      discard(value.source);
      this.#answer.refuse('interrupted');
      this.#stop('interrupted');
      return;
    }
    let raw: RawBytes | undefined;
    try {
      raw = this.#answer.respond(run.serving, value);
    } catch (error) {
      if (value instanceof AnswerWithBytes) discard(value.source);
      this.#badAnswer(error);
      return;
    }
    if (raw !== undefined) {
      this.#sendRaw(run, raw);
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
    if (this.#state === 'streaming') this.#giveUpRaw('interrupted', limits.RESET_CODES.interrupted);
    else this.#admission.leave();
  }

  disconnected(): void {
    if (this.#state !== 'running' && this.#state !== 'streaming') return;
    this.#answer.settled = true;
    const reason = this.#wire.connection.closed?.reason ?? 'cancelled by the peer';
    this.#run?.abort(wireErrors.make('connection-closed', { name: this.#name(), reason }));
    if (this.#state === 'streaming') this.#giveUpRaw('cancelled');
  }

  /** Our own plugin answered what it had not declared. */
  #badAnswer(error: unknown): void {
    this.#count('bad-answer');
    this.#wire.context.log.error('bad-answer', { message: this.#name(), error });
    this.#answer.refuse(codeOf(error) === wireErrors.code('raw-not-offered') ? 'unsupported' : 'failed');
    this.#stop('failed');
  }

  // ── raw bytes behind the answer ──────────────────────────────────────────────────────────────

  /** The call keeps its place and counts as running until the last byte, so that a swap drains it. */
  #sendRaw(run: HandlerRun, raw: RawBytes): void {
    this.#state = 'streaming';
    run.begin();
    this.#writer = new RawWriter(this.#wire, this.#stream, raw, this);
    this.#writer.start();
  }

  rawSent(): void {
    this.#stop('ok');
  }

  rawFailed(error: unknown): void {
    this.#count('raw-failed');
    this.#wire.context.log.error('raw-failed', { message: this.#name(), error });
    this.#giveUpRaw('failed', limits.RESET_CODES.failed);
  }

  #giveUpRaw(outcome: string, resetCode?: number): void {
    this.#writer?.stop();
    if (resetCode !== undefined) this.#reset(resetCode);
    this.#stop(outcome);
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
    if (serving !== undefined) this.restartDeadline(serving.message.deadlineMs);
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
    this.#waiting?.cancel();
    this.#state = 'done';
    this.#intake.close();
    if (!this.#intake.finished && kind === 'uni') this.#reset(limits.RESET_CODES.refused);
    if (this.#intake.finished) deadlines.clear(this.#deadline);
    else if (!this.#deadline.isSet) this.restartDeadline(limits.HEADER_DEADLINE_MS);
  }

  #reset(code: number): void {
    this.#intake.finished = true;
    this.#wire.context.deadlines.clear(this.#deadline);
    this.#stream.abort(code);
  }

  restartDeadline(ms: number): void {
    const { deadlines, clock } = this.#wire.context;
    deadlines.set(this.#deadline, clock.monotonic() + ms);
  }

  #count(what: string): void {
    this.#wire.context.counters.add(`${what}:${this.#name()}`);
  }

  #name(): string {
    return this.#admission.route?.name ?? catalogueEntry(this.#intake.code)?.name ?? 'unknown';
  }

  #late(): ItsgoinError {
    return wireErrors.make('deadline', { name: this.#name(), ms: this.#deadlineMs() });
  }

  #deadlineMs(): number {
    return this.#admission.serving?.message.deadlineMs ?? limits.HEADER_DEADLINE_MS;
  }
}
