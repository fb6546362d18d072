import type { WaitingCall } from '../calls.ts';
import type { RouteOwner } from '../message-route.ts';
import type { WireConnection } from '../wire-connection.ts';
import type { Admission } from './admission.ts';
import type { FrameIntake } from './frame-intake.ts';

/** The call whose frame waits. */
export interface WaitingFrameCall {
  suspendDeadline(): void;
  resumeDeadline(): void;
  /** The hold is over, and the frame is whole. */
  proceed(payload: Uint8Array): void;
  /** Its turn in the line has come. */
  takeTurn(payload: Uint8Array): void;
}

/** One frame in the hold queue of its plugin or in the line for a place; made only for a frame that has to wait. */
export class WaitingFrame implements WaitingCall {
  readonly #wire: WireConnection;
  readonly #intake: FrameIntake;
  readonly #admission: Admission;
  readonly #call: WaitingFrameCall;
  /** Our copy of the whole frame. */
  #kept: Uint8Array | undefined;
  #cancelled = false;

  constructor(wire: WireConnection, intake: FrameIntake, admission: Admission, call: WaitingFrameCall) {
    this.#wire = wire;
    this.#intake = intake;
    this.#admission = admission;
    this.#call = call;
  }

  /** Part of a frame that the hold queue has no room for: it is read on after the release. */
  holdPart(owner: RouteOwner): void {
    owner.queue.push(this);
    this.suspendDeadline();
    this.#block(owner);
  }

  hold(owner: RouteOwner, payload: Uint8Array): void {
    const { bytes } = this.#intake;
    const room = owner.hasRoom(bytes);
    this.#keep(payload);
    this.suspendDeadline();
    owner.queue.push(this);
    owner.queuedBytes += bytes;
    if (!room) this.#block(owner);
  }

  waitInLine(owner: RouteOwner, payload: Uint8Array): void {
    this.#keep(payload);
    this.#admission.waitInLine(this, owner, this.#intake.bytes);
  }

  /** Nobody waits any more. */
  cancel(): void {
    this.#cancelled = true;
    this.#kept = undefined;
    this.#admission.leaveLine(this, this.#intake.bytes);
  }

  get places(): number {
    return this.#admission.serving?.message.budget.inFlight ?? Number.POSITIVE_INFINITY;
  }

  released(): void {
    if (this.#cancelled) return;
    this.resumeDeadline();
    if (this.#kept === undefined) this.#intake.unpause();
    else this.#call.proceed(this.#kept);
  }

  suspendDeadline(): void {
    this.#call.suspendDeadline();
  }

  resumeDeadline(): void {
    this.#call.resumeDeadline();
  }

  start(): void {
    this.#wire.waiting(-this.#intake.bytes);
    if (this.#kept !== undefined) this.#call.takeTurn(this.#kept);
  }

  #keep(payload: Uint8Array): void {
    this.#kept ??= this.#intake.owned ? payload : Buffer.from(payload);
  }

  /** A full hold queue: the connection is not read on until the release. */
  #block(owner: RouteOwner): void {
    if (owner.block(this.#wire)) this.#wire.context.counters.add('held-at-cap');
  }
}
