import { EXTENSION_CODE } from '../../sdk/message.ts';
import type { Usage } from '../budget.ts';
import type { WaitingCall } from '../calls.ts';
import * as limits from '../limits.ts';
import type { MessageRoute, RouteOwner, Serving } from '../message-route.ts';
import type { WireConnection } from '../wire-connection.ts';
import { TOO_LARGE, UNSUPPORTED, malformed } from './refusal.ts';
import type { Refusal } from './refusal.ts';

/** Decides whether a frame is handled, by its route, size and budget, and keeps its place in the handler or in the line for one. */
export class Admission {
  route: MessageRoute | undefined;
  readonly #wire: WireConnection;
  readonly #kind: 'uni' | 'bi';
  #usage: Usage | undefined;
  /** The plugin in whose handler the call has a place. */
  #placedWith: RouteOwner | undefined;

  constructor(wire: WireConnection, kind: 'uni' | 'bi') {
    this.#wire = wire;
    this.#kind = kind;
  }

  /** What serves the message now; another generation or nothing after a swap. */
  get serving(): Serving | undefined {
    return this.route?.serving;
  }

  /** Judges a frame by its header. What an extension frame carries shows only in its payload: see `byName`. */
  byHeader(code: number, length: number): Refusal | undefined {
    const { table } = this.#wire.context;
    if (length > limits.FRAME_MAX_BYTES) return TOO_LARGE;
    if (code === EXTENSION_CODE) {
      // No more of it is read than the largest one that anybody takes.
      if (table.extensionMaxBytes === 0) return UNSUPPORTED;
      return length <= table.extensionMaxBytes ? undefined : TOO_LARGE;
    }
    this.route = table.byCode[code];
    return this.#judge(length);
  }

  byName(name: string, payloadBytes: number): Refusal | undefined {
    this.route = this.#wire.context.table.byName.get(name);
    return this.#judge(Math.max(0, payloadBytes - limits.EXTENSION_ENVELOPE_BYTES));
  }

  /** Takes a place in the handler. False: the in-flight limit is reached, or others of the peer are in line. */
  enter({ owner, message }: Serving): boolean {
    const usage = this.#usage;
    if (usage === undefined || usage.inFlight >= message.budget.inFlight || usage.waiting.length > 0) return false;
    this.place(owner);
    return true;
  }

  /** Takes the place that its turn in line has come to. */
  place(owner: RouteOwner): void {
    this.#placedWith = owner;
    if (this.#usage !== undefined) this.#usage.inFlight++;
  }

  /** Frees the place, which the next in line takes. */
  leave(): void {
    const owner = this.#placedWith;
    if (owner === undefined || this.#usage === undefined) return;
    this.#placedWith = undefined;
    this.#usage.inFlight--;
    if (this.#usage.waiting.length > 0) this.#usage.pump(owner);
  }

  waitInLine(call: WaitingCall, owner: RouteOwner, bytes: number): void {
    if (this.#usage === undefined) return;
    this.#usage.waiting.push(call);
    owner.lines.add(this.#usage);
    this.#wire.waiting(bytes);
  }

  leaveLine(call: WaitingCall, bytes: number): void {
    const at = this.#usage?.waiting.indexOf(call) ?? -1;
    if (at === -1) return;
    this.#usage?.waiting.splice(at, 1);
    this.#wire.waiting(-bytes);
  }

  #judge(length: number): Refusal | undefined {
    const { route, serving } = this;
    if (route === undefined || serving === undefined) return UNSUPPORTED;
    const { stream, maxBytes, budget } = serving.message;
    if (stream !== this.#kind) return malformed('wrong-stream');
    if (length > maxBytes) return TOO_LARGE;
    const now = this.#wire.context.clock.monotonic();
    this.#usage = this.#wire.account.usage(route, budget, now);
    const waitMs = this.#usage.take(budget, now);
    return waitMs === 0 ? undefined : { code: 'rate-limited', retryAfterMs: waitMs };
  }
}
