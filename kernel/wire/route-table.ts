import type { Clock } from '../sdk/clock.ts';
import { EXTENSION_CODE } from '../sdk/message.ts';
import type { AnyMessage } from '../sdk/message.ts';
import { type Validator, validatorOf } from '../sdk/validator.ts';
import { catalogueEntry } from './catalogue.ts';
import { wireErrors } from './errors.ts';
import { RAW_LENGTH_FIELD } from './frame.ts';
import { EXTENSION_ENVELOPE_BYTES, EXTENSION_NAMES_MAX, FRAME_MAX_BYTES } from './limits.ts';
import { MessageRoute, RouteOwner } from './message-route.ts';
import type { MessageTable } from './message-route.ts';
import type { MessageRouter, RouteEntry } from './message-router.ts';

/** `vendor/message@version` */
const EXTENSION_NAME = /^[a-z0-9][a-z0-9-]{0,31}\/[a-z0-9][a-z0-9-]{0,63}@[0-9]{1,5}$/;

/** The messages of all plugins by code and by extension name. */
export class RouteTable implements MessageRouter, MessageTable {
  readonly byCode: (MessageRoute | undefined)[] = new Array<MessageRoute | undefined>(256).fill(undefined);
  readonly byName = new Map<string, MessageRoute>();
  /** Largest payload of an extension frame that anybody here takes. */
  extensionMaxBytes = 0;
  readonly #clock: Clock;
  readonly #owners = new Map<string, RouteOwner>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  check(owner: string, messages: readonly AnyMessage[]): void {
    const seen = new Set<string>();
    for (const message of messages) {
      const key = keyOf(message);
      const other = seen.has(key) ? owner : this.#find(message)?.serving?.owner.name;
      if (seen.has(key) || (other !== undefined && other !== owner)) {
        throw wireErrors.make('duplicate-message', { name: message.name, owner, other: other ?? owner });
      }
      seen.add(key);
      const reason = faultOf(message);
      if (reason !== undefined) throw wireErrors.make('not-in-catalogue', { name: message.name, owner, reason });
      // Compiled here, ahead of the hold, so that `install` is quick.
      validatorOf(message.body);
      if (message.response !== undefined) validatorOf(message.response.body);
    }
    const names = messages.filter((message) => message.code === undefined && !this.byName.has(message.name));
    if (this.byName.size + names.length > EXTENSION_NAMES_MAX) {
      throw wireErrors.make('not-in-catalogue', {
        name: names[0]?.name ?? '',
        owner,
        reason: 'too many names in this process',
      });
    }
  }

  hold(owner: string): void {
    const target = this.#owner(owner);
    target.held = true;
    for (const line of target.lines) line.suspendDeadlines();
  }

  async drain(owner: string, limitMs: number): Promise<number> {
    const { running } = this.#owner(owner);
    if (running.size === 0) return 0;
    await new Promise<void>((resolve) => {
      const timer = this.#clock.timer(limitMs, resolve);
      this.#owner(owner).onIdle = () => {
        timer.cancel();
        resolve();
      };
    });
    this.#owner(owner).onIdle = undefined;
    const late = [...running];
    for (const call of late) call.interrupt();
    running.clear();
    return late.length;
  }

  install(owner: string, entries: readonly RouteEntry[]): void {
    this.check(
      owner,
      entries.map((entry) => entry.message),
    );
    const target = this.#owner(owner);
    for (const route of target.routes) route.serving = undefined;
    target.routes = entries.map(({ message, handler, call }) => {
      const route = this.#place(message);
      route.serving = {
        owner: target,
        message,
        handler,
        request: calledBy(call, validatorOf(message.body)),
        answer: message.response === undefined ? undefined : calledBy(call, validatorOf(message.response.body)),
      };
      return route;
    });
    this.#measureExtensions();
  }

  remove(owner: string): void {
    const target = this.#owners.get(owner);
    if (target === undefined) return;
    for (const route of target.routes) route.serving = undefined;
    target.routes = [];
    this.#measureExtensions();
    this.release(owner);
    if (target.running.size === 0) this.#owners.delete(owner);
  }

  release(owner: string): void {
    const target = this.#owners.get(owner);
    if (target === undefined) return;
    target.held = false;
    // Those that waited for an in-flight limit came before those that were held.
    for (const line of [...target.lines]) {
      line.resumeDeadlines();
      line.pump(target);
    }
    // A handler that runs during this loop may cause frames to arrive: they go to the end of the same queue.
    for (let next = target.queue[0]; next !== undefined; next = target.queue[0]) {
      next.released();
      target.queue.shift();
    }
    target.queuedBytes = 0;
    for (const connection of target.blocked) connection.unblock();
    target.blocked.clear();
  }

  inspect(owner: string): { messages: string[]; running: number; held: number } {
    const target = this.#owners.get(owner);
    return {
      messages: target?.routes.map((route) => route.name) ?? [],
      running: target?.running.size ?? 0,
      held: target?.queue.length ?? 0,
    };
  }

  #owner(name: string): RouteOwner {
    let owner = this.#owners.get(name);
    if (owner === undefined) {
      owner = new RouteOwner(name);
      this.#owners.set(name, owner);
    }
    return owner;
  }

  #find(message: AnyMessage): MessageRoute | undefined {
    return message.code === undefined ? this.byName.get(message.name) : this.byCode[message.code];
  }

  #place(message: AnyMessage): MessageRoute {
    let route = this.#find(message);
    if (route === undefined) {
      route = new MessageRoute(message.name);
      if (message.code === undefined) this.byName.set(message.name, route);
      else this.byCode[message.code] = route;
    }
    return route;
  }

  #measureExtensions(): void {
    this.extensionMaxBytes = 0;
    for (const { serving } of this.byName.values()) {
      if (serving === undefined) continue;
      this.extensionMaxBytes = Math.max(this.extensionMaxBytes, serving.message.maxBytes + EXTENSION_ENVELOPE_BYTES);
    }
  }
}

function keyOf(message: AnyMessage): string {
  return message.code === undefined ? message.name : String(message.code);
}

/** Why a declaration cannot be served, if so. */
function faultOf(message: AnyMessage): string | undefined {
  const sizes = [message.maxBytes, message.response?.maxBytes ?? 1];
  if (sizes.some((bytes) => !(bytes > 0 && bytes <= FRAME_MAX_BYTES)))
    return `maxBytes must be 1 to ${FRAME_MAX_BYTES}`;
  const { response } = message;
  if (response?.raw !== undefined) {
    const { maxBytes, idleMs } = response.raw;
    if (!(maxBytes > 0 && Number.isSafeInteger(maxBytes) && idleMs > 0))
      return 'raw bytes need a cap and an idle limit';
    const { properties = {} }: { properties?: object } = response.body;
    const taken = [RAW_LENGTH_FIELD, 'bytes'].find((field) => Object.hasOwn(properties, field));
    if (taken !== undefined) return `the field ${taken} of a response with raw bytes is the kernel's`;
  }
  const { perSecond, burst, inFlight } = message.budget;
  if (!(perSecond > 0 && burst >= 1 && inFlight >= 1)) return 'a budget allows at least one';
  if (message.code === undefined) {
    if (!EXTENSION_NAME.test(message.name)) return 'a message without a code needs a name like vendor/message@1';
    return message.response === undefined || message.response.code === EXTENSION_CODE
      ? undefined
      : 'its answer has a code';
  }
  const entry = catalogueEntry(message.code);
  if (entry === undefined) return 'no such code';
  if (entry.name !== message.name) return `the name is ${entry.name}`;
  if (entry.stream !== message.stream) return `it travels on a ${entry.stream}-stream`;
  if (entry.stream === 'bi' && entry.answeredBy === undefined) return 'it only answers';
  if (message.response !== undefined && message.response.code !== entry.answeredBy)
    return 'it is answered by another code';
  return undefined;
}

/** A schema is code of its plugin: one regular expression in it can take for ever. */
function calledBy(call: RouteEntry['call'], validator: Validator): Validator {
  if (call === undefined) return validator;
  return {
    check: (value): value is unknown => call(() => validator.check(value)),
    explain: (value) => call(() => validator.explain(value)),
  };
}
