import type { Subscriber } from 'rxjs';
import { Observable } from 'rxjs/internal/Observable';
import type { Bus } from '../bus/bus.ts';
import type { Store } from '../store/store.ts';
import type { Clock, Random } from '../sdk/clock.ts';
import type { PeerId } from '../sdk/identifiers.ts';
import type { Counters, Log } from '../sdk/log.ts';
import type { AnyMessage, BodyOf, ResponseOf } from '../sdk/message.ts';
import type { NodeId } from '../sdk/identifiers.ts';
import type { AnyParts, AnyPlugin, PluginContext, SendOptions } from '../sdk/plugin.ts';
import { type Injection, type Resource, type Token, tokenKey } from '../sdk/token.ts';
import { codeOf, messageOf } from '../sdk/errors.ts';
import { followed, followedParts, runAs, startAs } from './attribution.ts';
import type { Injector, Resources } from './container.ts';
import { lifecycleErrors } from './errors.ts';
import { EventPort } from './event-port.ts';
import type { LoadedPlugin } from './loader.ts';
import { LoopRunner } from './loop-runner.ts';
import { OwnedClock } from './owned-clock.ts';
import type { Points } from './points.ts';
import { Scope, within } from './scope.ts';
import type { Services } from './services.ts';

/** `setup` may read the disk and migrate its own data, but a swap must not hang on it. */
export const SETUP_LIMIT_MS = 30_000;

/** What every generation of every plugin of a node shares. */
export interface GenerationDeps {
  readonly self: PeerId;
  readonly bus: Bus;
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly services: Services;
  readonly points: Points;
  readonly resources: Resources;
  log(plugin: string): Log;
  counters(plugin: string): Counters;
  send<M extends AnyMessage>(
    to: NodeId | PeerId,
    message: M,
    body: BodyOf<M>,
    options: SendOptions,
  ): Promise<ResponseOf<M>>;
}

/** One run of a plugin's code: its context, the parts `setup` gave, and the scope that undoes both. */
export class Generation {
  readonly plugin: AnyPlugin;
  readonly config: Readonly<Record<string, unknown>>;
  readonly scope: Scope;
  readonly events: EventPort;
  readonly loops: LoopRunner[] = [];
  parts: AnyParts = {};
  /** Unexpected failures since the commit; probation watches it. */
  failures = 0;
  /** Its `snapshot` threw once: the next code that comes starts without its state. */
  snapshotFailed = false;
  #live = false;
  #activated = false;
  /** Not shipped with the node: what its code starts is followed, so that stray errors find their owner. */
  readonly foreign: boolean;
  /** Says only what is named after it. */
  readonly #confined: boolean;
  readonly #host: GenerationDeps;
  readonly #log: Log;
  readonly #counters: Counters;

  private constructor(
    host: GenerationDeps,
    loaded: LoadedPlugin,
    config: Readonly<Record<string, unknown>>,
    confined: boolean,
  ) {
    const { plugin, foreign } = loaded;
    this.#host = host;
    this.plugin = plugin;
    this.foreign = foreign;
    this.#confined = confined;
    this.config = config;
    this.#log = host.log(plugin.name);
    this.#counters = host.counters(plugin.name);
    this.scope = new Scope(this.#log, host.clock);
    this.events = new EventPort(host.bus, plugin.name, this.#counters, (where, error) =>
      this.reportFailure(where, error),
    );
    this.scope.defer('bus subscriptions', () => this.events.close());
  }

  /**
   * Runs `setup` while an older generation may still serve. `confined` is a third-party plugin under its own name. On failure, and when `signal` aborts,
   * everything it took is undone.
   * @throws lifecycle/setup-failed, lifecycle/setup-timeout
   */
  static async prepare(
    host: GenerationDeps,
    loaded: LoadedPlugin,
    config: Readonly<Record<string, unknown>>,
    signal: AbortSignal,
    confined = false,
  ): Promise<Generation> {
    const { plugin } = loaded;
    const generation = new Generation(host, loaded, config, confined);
    try {
      const setup = async (): Promise<void> => {
        const parts = await plugin.setup(generation.#context());
        generation.parts = loaded.foreign && parts ? followedParts(plugin.name, parts, generation.scope.signal) : parts;
      };
      const ended = (): Promise<boolean> => within(setup(), SETUP_LIMIT_MS, host.clock, signal);
      if (!(await (loaded.foreign ? startAs(plugin.name, ended, generation.scope.signal) : ended()))) {
        throw lifecycleErrors.make('setup-timeout', { name: plugin.name, limit: SETUP_LIMIT_MS });
      }
      generation.#checkParts();
    } catch (error) {
      await generation.scope.close(error);
      if (codeOf(error) === lifecycleErrors.code('setup-timeout')) throw error;
      throw lifecycleErrors.make('setup-failed', { name: plugin.name, problem: messageOf(error) }, error);
    }
    for (const [name, loop] of Object.entries(generation.parts.loops ?? {})) {
      generation.loops.push(
        new LoopRunner(name, loop, host.clock, host.random, (which, error) =>
          generation.reportFailure(`loop ${which}`, error),
        ),
      );
    }
    generation.scope.defer('loops', () => generation.pause());
    return generation;
  }

  get live(): boolean {
    return this.#live;
  }

  /** Calls code of this plugin. */
  call<R>(code: () => R): R {
    return this.foreign ? runAs(this.plugin.name, code, this.scope.signal) : code();
  }

  /** The commit's half that is this generation's own: it hears and speaks from now on. Synchronous. */
  goLive(): void {
    this.#live = true;
    this.events.live();
  }

  /** Lets it act by itself: loops tick and, the first time, `activate` runs. After `goLive`. */
  run(): void {
    for (const loop of this.loops) loop.start();
    if (this.#activated) return;
    this.#activated = true;
    void this.#activate();
  }

  /** Stops ticks and collects events, so that a snapshot stays true. `goLive` and `run` undo it. */
  pause(): void {
    for (const loop of this.loops) loop.stop();
    this.events.collect();
  }

  /** Waits for ticks and async listeners; after `limitMs` aborts the ticks and goes on. */
  async drain(limitMs: number): Promise<void> {
    const running = [...this.loops.flatMap((loop) => loop.ticking ?? []), ...this.events.running];
    if (running.length === 0) return;
    if (await within(Promise.allSettled(running), limitMs, this.#host.clock)) return;
    const reason = lifecycleErrors.make('swap-aborted-call', { name: this.plugin.name, limit: limitMs });
    for (const loop of this.loops) loop.abort(reason);
  }

  async #activate(): Promise<void> {
    try {
      await this.parts.activate?.();
    } catch (error) {
      if (!this.scope.closed) this.reportFailure('activate', error);
    }
  }

  /** Counts and logs an error nobody else answers for. */
  reportFailure(where: string, error: unknown): void {
    this.failures++;
    this.#counters.add('failures');
    this.#log.error('plugin-failure', { where, code: codeOf(error), error });
  }

  /** The service behind one of the plugin's `provides` tokens. */
  service(token: Token<unknown>): unknown {
    return this.parts.services?.find((binding) => tokenKey(binding.token) === tokenKey(token))?.service;
  }

  #checkParts(): void {
    const { name, messages = {}, commands = {}, provides = [] } = this.plugin;
    const missing = [
      ...Object.keys(messages)
        .filter((key) => typeof this.parts.handlers?.[key] !== 'function')
        .map((key) => `a handler for message "${key}"`),
      ...Object.keys(commands)
        .filter((key) => typeof this.parts.commands?.[key] !== 'function')
        .map((key) => `a handler for command "${key}"`),
      ...provides
        .filter((token: Token<unknown>) => this.service(token) === undefined)
        .map((token: Token<unknown>) => `the service "${tokenKey(token)}"`),
    ];
    if (missing.length > 0) {
      throw lifecycleErrors.make('bad-manifest', { name, problem: `setup did not return ${missing.join(', ')}` });
    }
  }

  #context(): PluginContext<Record<string, unknown>, Record<string, Injection>> {
    const { plugin, scope, events } = this;
    const host = this.#host;
    const injector = host.resources.createInjector({ plugin: plugin.name, signal: scope.signal });
    scope.defer('injector', () => injector.close());
    const streams = new Set<Subscriber<never>>();
    scope.defer('streams', () => {
      for (const subscriber of [...streams]) subscriber.complete();
    });
    const requireLive = (method: string): void => {
      if (!this.#live) throw lifecycleErrors.make('not-live', { name: plugin.name, method });
    };
    const clock = new OwnedClock(host.clock, scope.signal, (fire) => {
      try {
        this.call(fire);
      } catch (error) {
        this.reportFailure('timer', error);
      }
    });
    const listen: EventPort['on'] = (topic, listener) =>
      events.on(topic, this.foreign ? followed(plugin.name, listener, scope.signal) : listener);
    const ctx: PluginContext<Record<string, unknown>, Record<string, Injection>> = {
      name: plugin.name,
      config: this.config,
      deps: this.#dependencies(injector),
      signal: scope.signal,
      clock,
      random: host.random,
      db: host.store.database(plugin.name),
      log: this.#log,
      counters: this.#counters,
      self: host.self,
      send: async (to, message, body, options = {}) => {
        requireLive('send');
        return host.send(to, message, body, options);
      },
      emit: (topic, event) => {
        if (this.#confined && !topic.name.startsWith(`${plugin.name}/`)) {
          throw lifecycleErrors.make('foreign-topic', { name: plugin.name, topic: topic.name });
        }
        events.emit(topic, event);
      },
      on: (topic, listener) => void listen(topic, listener),
      stream: (topic) =>
        new Observable((subscriber) => {
          if (scope.closed) return subscriber.complete();
          const stop = listen(topic, (event) => subscriber.next(event));
          streams.add(subscriber);
          return () => {
            stop();
            streams.delete(subscriber);
          };
        }),
      contributions: (point) => {
        const own = plugin.points?.some(({ name }: { name: string }) => name === point.name);
        if (!own) throw lifecycleErrors.make('foreign-point', { name: plugin.name, point: point.name });
        return host.points.contributions(point);
      },
      part: (part) => injector.part(part),
      background: (what, work) => {
        work.catch((error) => {
          if (scope.closed) return;
          this.#counters.add(`background-failed.${what}`);
          this.#log.warn('background-failed', { what, code: codeOf(error), error });
        });
      },
      defer: (cleanup) => scope.defer('ctx.defer', cleanup),
    };
    injector.context = ctx;
    return ctx;
  }

  #dependencies(injector: Injector): Record<string, never> {
    const deps: Record<string, unknown> = {};
    for (const [key, injection] of Object.entries<Injection>(this.plugin.inject ?? {})) {
      const wanted: Token<unknown> | Resource<unknown> = 'optional' in injection ? injection.optional : injection;
      deps[key] = injector.inject(wanted, (token) => this.#host.services.ref(token));
    }
    return Object.freeze(deps) as Record<string, never>;
  }
}
