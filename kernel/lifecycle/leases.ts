import type { LeaseToken } from '../sdk/lease.ts';
import { lifecycleErrors } from './errors.ts';
import type { Scope } from './scope.ts';

/** Lends one kind of kernel-owned resource; `scope` is the borrower's, for what must be given back. */
export type LeaseProvider<T = unknown, O = unknown> = (borrower: { plugin: string; scope: Scope }, options: O) => T;

/** The resources this node's kernel lends, by lease name. */
export class Leases {
  readonly #providers = new Map<string, LeaseProvider>();

  offer<T, O>(token: LeaseToken<T, O>, provider: LeaseProvider<T, O>): void {
    this.#providers.set(token.name, provider as LeaseProvider);
  }

  take(name: string, borrower: { plugin: string; scope: Scope }, options: unknown): unknown {
    const provider = this.#providers.get(name);
    if (!provider) throw lifecycleErrors.make('unknown-lease', { lease: name });
    return provider(borrower, options);
  }
}
