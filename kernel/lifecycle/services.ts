import { type LongCall, type Ref, type RestartOptions, type Token, tokenKey } from '../sdk/token.ts';
import { lifecycleErrors } from './errors.ts';
import type { CallGate } from './call-gate.ts';

interface Provided {
  readonly plugin: string;
  readonly gate: CallGate;
  readonly service: unknown;
}

type CallOptions = Omit<RestartOptions, 'restart'> & { readonly restart?: true };

/** Which plugin offers which service at this moment, by token key. */
export class Services {
  readonly #provided = new Map<string, Provided>();

  /** Points a token at a generation's service; an earlier generation of the same plugin is replaced. */
  provide(name: string, provided: Provided): void {
    this.#provided.set(name, provided);
  }

  withdraw(name: string, plugin: string): void {
    if (this.#provided.get(name)?.plugin === plugin) this.#provided.delete(name);
  }

  /** The plugin that offers the token now. */
  providerOf(name: string): string | undefined {
    return this.#provided.get(name)?.plugin;
  }

  available(name: string): boolean {
    const provided = this.#provided.get(name);
    return provided !== undefined && provided.gate.state !== 'off';
  }

  /** A Ref that finds the present provider at each call. */
  ref<T>(token: Token<T>): Ref<T> {
    const name = tokenKey(token);
    const services = this;
    const ref: Ref<T> = {
      token,
      get available(): boolean {
        return services.available(name);
      },
      use<R>(call: LongCall<T, R>, options: CallOptions = {}): Promise<Awaited<R>> {
        const provided = services.#provided.get(name);
        if (!provided) return Promise.reject(lifecycleErrors.make('service-off', { service: name }));
        // Looked up again: while we waited at the gate the swap replaced it.
        const present = (): T => {
          const found = services.#provided.get(name);
          if (!found) throw lifecycleErrors.make('service-off', { service: name });
          return found.service as T;
        };
        const { signal, restart } = options;
        if (restart) return provided.gate.runAbortable(name, (own) => call(present(), own), signal, { restart });
        // What does not run again has the signal that it came with.
        return provided.gate.run(name, () => (call as (service: T) => R | Promise<R>)(present()), signal);
      },
      async tryUse<R>(call: LongCall<T, R>, options: CallOptions = {}): Promise<Awaited<R> | undefined> {
        return services.available(name) ? ref.use(call, options as RestartOptions) : undefined;
      },
      ask<R>(call: (service: T) => R, fallback: R): R {
        const provided = services.#provided.get(name);
        return provided === undefined || provided.gate.state === 'off' ? fallback : call(provided.service as T);
      },
    };
    return Object.freeze(ref);
  }
}
