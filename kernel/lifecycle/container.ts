import 'reflect-metadata';
import { container, type DependencyContainer, instanceCachingFactory } from 'tsyringe';
import type { Part, Use } from '../sdk/part.ts';
import { type Ref, type Resource, type Token, tokenKey } from '../sdk/token.ts';
import { lifecycleErrors } from './errors.ts';

/** The generation that a resource is injected into. */
export interface Borrower {
  readonly plugin: string;
  /** Aborts when the generation ends. */
  readonly signal: AbortSignal;
}

type Lend = (borrower: Borrower) => unknown;

/**
 * What one node's kernel owns, by resource. Several nodes may live in one process (tests, the
 * simulator), so nothing is registered in tsyringe's global container itself.
 */
export class Resources {
  readonly #root: DependencyContainer = container.createChildContainer();
  readonly #majors = new Map<string, number>();

  /** One object for everybody. */
  provide<T>(resource: Resource<T>, instance: T): void {
    this.provideEach(resource, () => instance);
  }

  /** One object for each generation that injects it, whose end it learns from the borrower's signal. */
  provideEach<T>(resource: Resource<T>, lend: (borrower: Borrower) => T): void {
    this.#root.registerInstance<Lend>(resourceKey(resource), lend);
    this.#majors.set(resource.name, resource.major);
  }

  has(resource: Resource<unknown>): boolean {
    return this.#root.isRegistered(resourceKey(resource));
  }

  /** The major version in which the kernel has a resource of this name. */
  majorOf(name: string): number | undefined {
    return this.#majors.get(name);
  }

  /** The container of one generation. */
  createInjector(borrower: Borrower): Injector {
    return new Injector(borrower, this.#root.createChildContainer());
  }
}

/**
 * Resolves what one generation of a plugin injects and the parts it is made of. Singletons alone: what
 * must be undone is undone by the generation's scope, not here.
 */
export class Injector {
  readonly #borrower: Borrower;
  readonly #container: DependencyContainer;
  /** Parts being built, outermost first. */
  readonly #building: Part<unknown>[] = [];
  readonly #use: Use;
  #ctx: unknown;

  constructor(borrower: Borrower, child: DependencyContainer) {
    this.#borrower = borrower;
    this.#container = child;
    const use = <T>(wanted: Part<T> | Token<T> | Resource<T>): unknown =>
      wanted.kind === 'part' ? this.part(wanted) : this.#injected(wanted);
    this.#use = Object.assign(use, {
      later:
        <T>(part: Part<T>) =>
        () =>
          this.part(part),
    }) as Use;
  }

  /** What factories of parts are handed; once it is complete. */
  set context(ctx: unknown) {
    this.#ctx = ctx;
  }

  /** Makes a dependency known by its token, and returns what stands for it in `ctx.deps`. */
  inject(wanted: Token<unknown> | Resource<unknown>, ref: (token: Token<unknown>) => Ref<unknown>): unknown {
    const instance =
      wanted.kind === 'resource' ? this.#container.resolve<Lend>(resourceKey(wanted))(this.#borrower) : ref(wanted);
    this.#container.registerInstance<unknown>(keyOf(wanted), instance);
    return instance;
  }

  part<T>(part: Part<T>): T {
    if (this.#building.includes(part)) {
      const circle = [...this.#building.slice(this.#building.indexOf(part)), part].map(({ name }) => name).join(' → ');
      throw lifecycleErrors.make('circular-parts', { name: this.#borrower.plugin, circle });
    }
    if (!this.#container.isRegistered(part.key)) {
      const build = instanceCachingFactory(() => part.build(this.#use, this.#ctx));
      this.#container.register<T>(part.key, { useFactory: build });
    }
    this.#building.push(part);
    try {
      return this.#container.resolve<T>(part.key);
    } finally {
      this.#building.pop();
    }
  }

  close(): void {
    this.#container.clearInstances();
  }

  #injected(wanted: Token<unknown> | Resource<unknown>): unknown {
    const key = keyOf(wanted);
    // Only what this generation's own container holds: the kernel's other resources were not asked for.
    if (this.#container.isRegistered(key)) return this.#container.resolve<unknown>(key);
    throw lifecycleErrors.make('not-injected', { name: this.#borrower.plugin, token: tokenKey(wanted) });
  }
}

function keyOf(wanted: Token<unknown> | Resource<unknown>): string {
  return wanted.kind === 'resource' ? `injected ${resourceKey(wanted)}` : `service ${tokenKey(wanted)}`;
}

function resourceKey(resource: Resource<unknown>): string {
  return `resource ${tokenKey(resource)}`;
}
