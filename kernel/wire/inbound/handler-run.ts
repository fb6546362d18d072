import type { PeerId } from '../../sdk/identifiers.ts';
import type { IncomingCall } from '../../sdk/plugin.ts';
import type { Connected, RunningCall } from '../calls.ts';
import { wireErrors } from '../errors.ts';
import type { Serving } from '../message-route.ts';
import type { WireConnection } from '../wire-connection.ts';

/** Whose handler it is. */
export interface RunOutcome extends Connected {
  answered(value: unknown): void;
  failed(error: unknown): void;
  /** The swap goes on without it. */
  interrupted(): void;
}

/** One handler under way: what it is called with, and what ends it early. Its signal is made only when asked for. */
export class HandlerRun implements IncomingCall, RunningCall {
  readonly bytes: number;
  rosterAt = -1;
  readonly serving: Serving;
  /** The swap gave up on it. */
  interrupted = false;
  readonly #wire: WireConnection;
  readonly #outcome: RunOutcome;
  #controller: AbortController | undefined;
  #reason: Error | undefined;

  constructor(wire: WireConnection, serving: Serving, bytes: number, outcome: RunOutcome) {
    this.#wire = wire;
    this.serving = serving;
    this.bytes = bytes;
    this.#outcome = outcome;
  }

  get peer(): PeerId {
    return this.#wire.connection.peer;
  }

  get connectionId(): number {
    return this.#wire.connection.id;
  }

  get takesBytes(): boolean {
    return this.#wire.carriesRaw(this.serving.message);
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#reason !== undefined) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  get aborted(): boolean {
    return this.#reason !== undefined;
  }

  start(body: unknown): void {
    let result: unknown;
    try {
      result = this.serving.handler(body, this);
    } catch (error) {
      this.#outcome.failed(error);
      return;
    }
    if (result instanceof Promise || isThenable(result)) {
      this.begin();
      result.then(
        (value) => this.#outcome.answered(value),
        (error: unknown) => this.#outcome.failed(error),
      );
    } else {
      this.#outcome.answered(result);
    }
  }

  interrupt(): void {
    this.interrupted = true;
    this.abort(wireErrors.make('interrupted', { name: this.serving.message.name }));
    this.#outcome.interrupted();
  }

  abort(reason: Error): void {
    this.#reason ??= reason;
    this.#controller?.abort(this.#reason);
  }

  /** It counts as running from now on: a swap and the end of the connection wait for it or end it. */
  begin(): void {
    this.serving.owner.running.add(this);
    this.#wire.running.add(this.#outcome);
  }

  /** It no longer counts as running. */
  end(): void {
    this.#wire.running.delete(this.#outcome);
    this.serving.owner.ended(this);
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}
