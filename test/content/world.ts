import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { createBus } from '../../kernel/bus/index.ts';
import type { Bus } from '../../kernel/bus/bus.ts';
import { seededRandom, VirtualClock } from '../../kernel/clock/index.ts';
import { identityOf } from '../../kernel/identity/index.ts';
import type { Identity } from '../../kernel/identity/index.ts';
import { pendingVerifications } from '../../kernel/identity/signature.ts';
import { createCounters } from '../../kernel/observe/index.ts';
import { ItsgoinError } from '../../kernel/index.ts';
import type { AnyMessage, Counters, NodeId, Parts, Ref, Topic } from '../../kernel/index.ts';
import { openStore } from '../../kernel/store/index.ts';
import type { Store } from '../../kernel/store/index.ts';
import { validatorOf } from '../../kernel/wire/payload.ts';
import { meshReady, peerReady } from '../../plugins/mesh/api.ts';
import type { MeshService, SectionContribution } from '../../plugins/mesh/api.ts';
import { followed, unfollowed } from '../../plugins/social/api.ts';
import type { SocialService } from '../../plugins/social/api.ts';
import type { ContentContext } from '../../plugins/content/context.ts';
import plugin from '../../plugins/content/plugin.ts';
import { composePost } from '../../plugins/content/publish.ts';
import type { SyncPost } from '../../plugins/content/post.ts';
import { recordingLog } from '../rig/recording-log.ts';
import { temporaryDirectory } from '../rig/temporary.ts';

type ContentParts = Parts<
  NonNullable<typeof plugin.messages>,
  NonNullable<typeof plugin.commands>,
  { announcing: unknown[] }
>;
type Answer = (message: AnyMessage, body: never) => unknown;

export function testIdentity(name: string): Identity {
  const seed = (text: string): Uint8Array => createHash('sha256').update(text).digest();
  return identityOf(seed(name), seed(`${name}/device`));
}

export function signedPost(identity: Identity, text: string, timestampMs: number): SyncPost {
  return composePost(identity, text, timestampMs, [identity.nodeId]).post;
}

/** Nodes that run the content plugin over real databases, with mesh and social played by the test. */
export class World {
  readonly clock = new VirtualClock({ busy: () => pendingVerifications() > 0 });
  readonly nodes = new Map<NodeId, TestNode>();
  readonly t: ExecutionContext;

  constructor(t: ExecutionContext) {
    this.t = t;
  }

  /** A node with its plugin on. */
  async node(name: string, config: Record<string, number> = {}): Promise<TestNode> {
    const node = new TestNode(this, name, config);
    this.nodes.set(node.id, node);
    await node.start();
    return node;
  }

  /** Lets all that is under way come to its end. */
  async settle(): Promise<void> {
    await this.clock.advance(50);
  }

  async connect(a: TestNode, b: TestNode): Promise<void> {
    a.links.add(b.id);
    b.links.add(a.id);
    for (const [from, to] of [
      [a, b],
      [b, a],
    ] as const)
      await from.sendSections(to);
    for (const [one, other] of [
      [a, b],
      [b, a],
    ] as const) {
      one.bus.publish(peerReady, { peer: other.identity.self, connectionId: 1, features: [] });
    }
    await this.settle();
  }

  disconnect(a: TestNode, b: TestNode): void {
    a.links.delete(b.id);
    b.links.delete(a.id);
  }
}

export class TestNode {
  readonly world: World;
  readonly identity: Identity;
  readonly bus: Bus;
  readonly store: Store;
  readonly counters: Counters;
  readonly log = recordingLog();
  readonly links = new Set<NodeId>();
  readonly follows = new Set<NodeId>();
  readonly followers = new Set<NodeId>();
  preferred: readonly NodeId[] = [];
  meshIsOff = false;
  readonly sections = new Map<string, SectionContribution>();
  readonly sent: { to: NodeId; name: string; body: unknown }[] = [];
  parts: ContentParts | undefined;
  /** Answers in the place of this node's plugin; `undefined` leaves it to the plugin. */
  answer: Answer | undefined;
  /** Whether what this node sends gets lost. */
  lossy = false;
  readonly #config: Record<string, number>;
  #generation = new AbortController();
  #cleanups: (() => unknown)[] = [];

  constructor(world: World, name: string, config: Record<string, number>) {
    const registry = createCounters();
    this.world = world;
    this.identity = testIdentity(name);
    this.counters = registry.of('content');
    this.bus = createBus({ log: this.log, counters: registry, clock: world.clock });
    this.store = openStore({
      path: join(temporaryDirectory(world.t), `${name}.db`),
      log: this.log,
      clock: world.clock,
    });
    this.store.migrate('content', plugin.migrations ?? [], ['expand']);
    world.t.teardown(() => this.store.close());
    this.#config = {
      feedPage: 50,
      pullPageEntries: 500,
      encounterMs: 10_800_000,
      pullPeers: 4,
      pullPages: 100,
      exchangeDeletes: 100,
      ...config,
    };
  }

  get id(): NodeId {
    return this.identity.nodeId;
  }

  get live(): ContentParts {
    if (this.parts === undefined) throw new Error('the plugin is off');
    return this.parts;
  }

  /** Runs a command as the control API does. */
  run(command: string, params: Record<string, unknown> = {}): Promise<unknown> {
    const handler = (this.live.commands as unknown as Record<string, (params: unknown) => Promise<unknown>>)[command];
    return this.world.clock.until(Promise.resolve(handler?.(params)));
  }

  async texts(): Promise<string[]> {
    const { posts } = (await this.run('feed.list')) as { posts: { text: string }[] };
    return posts.map(({ text }) => text);
  }

  async start(state?: { announcing: unknown[] }): Promise<void> {
    this.#generation = new AbortController();
    this.#cleanups = [];
    const parts = (await plugin.setup(this.#context())) as ContentParts;
    if (state !== undefined) parts.restore?.(JSON.parse(JSON.stringify(state)) as { announcing: unknown[] });
    this.parts = parts;
    await parts.activate?.();
  }

  stop(): void {
    this.parts = undefined;
    for (const cleanup of this.#cleanups.reverse()) cleanup();
    this.#generation.abort(new Error('generation ended'));
  }

  /** What a hot swap does to the plugin. */
  async reload(): Promise<void> {
    const state = this.live.snapshot?.();
    this.stop();
    await this.start(state);
  }

  async follow(other: TestNode): Promise<void> {
    this.follows.add(other.id);
    other.followers.add(this.id);
    this.bus.publish(followed, { nodeId: other.id });
    await this.world.settle();
  }

  async unfollow(other: TestNode): Promise<void> {
    this.follows.delete(other.id);
    other.followers.delete(this.id);
    this.bus.publish(unfollowed, { nodeId: other.id });
    await this.world.settle();
  }

  async sendSections(to: TestNode): Promise<void> {
    for (const [name, { collect }] of this.sections) {
      const value: unknown = JSON.parse(JSON.stringify(collect(to.identity.self)));
      const received = to.sections.get(name)?.receive(this.identity.self, value);
      await this.world.clock.until(Promise.resolve(received));
    }
  }

  /** Puts a message to this node as if `from` had sent it. */
  async receive(from: TestNode, message: AnyMessage, body: unknown): Promise<unknown> {
    const wire: unknown = JSON.parse(JSON.stringify(body));
    const own = this.answer?.(message, wire as never);
    const entry = Object.entries(plugin.messages ?? {}).find(([, spec]) => spec.name === message.name);
    if (own === undefined && (this.parts === undefined || entry === undefined)) throw wireError('unsupported');
    if (!validatorOf(message.body).check(wire)) throw wireError('bad-body');
    const call = { peer: from.identity.self, connectionId: 1, signal: this.#generation.signal, bytes: 0 };
    const handlers = this.parts?.handlers as unknown as Record<string, (body: unknown, call: unknown) => unknown>;
    const answer = own ?? (await handlers[entry?.[0] ?? '']?.(wire, call));
    if (message.response === undefined) return undefined;
    const back: unknown = JSON.parse(JSON.stringify(answer));
    if (!validatorOf(message.response.body).check(back)) throw wireError('bad-response');
    return back;
  }

  #context(): ContentContext {
    const { signal } = this.#generation;
    const { clock } = this.world;
    const mesh = {
      peers: () => [...this.links].map((nodeId) => ({ peer: { nodeId } })),
      nplus10: () => [this.id, ...this.preferred],
      contribute: (name: string, contribution: SectionContribution) => {
        this.sections.set(name, contribution);
        return () => this.sections.delete(name);
      },
    } as unknown as MeshService;
    const social = {
      follows: () => [...this.follows],
      followers: () => [...this.followers],
      displayName: (nodeId: NodeId) => (nodeId === this.id ? 'me' : undefined),
    } as unknown as SocialService;
    const context: Partial<ContentContext> = {
      name: 'content',
      config: this.#config as unknown as ContentContext['config'],
      deps: {
        signer: this.identity,
        mesh: refTo(mesh, () => !this.meshIsOff),
        social: refTo(social),
        wormSearch: refTo({} as never, () => false),
      } as ContentContext['deps'],
      signal,
      clock,
      random: seededRandom(1),
      db: this.store.database('content'),
      log: this.log,
      counters: this.counters,
      self: this.identity.self,
      send: (async (to: NodeId | { nodeId: NodeId }, message: AnyMessage, body: unknown) => {
        const nodeId = typeof to === 'string' ? to : to.nodeId;
        const target = this.world.nodes.get(nodeId);
        await clock.sleep(1, signal);
        if (target === undefined || !this.links.has(nodeId)) throw wireError('not-connected');
        this.sent.push({ to: nodeId, name: message.name, body });
        if (this.lossy) throw wireError('connection-closed');
        return target.receive(this, message, body);
      }) as unknown as ContentContext['send'],
      emit: (topic, event) => this.bus.publish(topic, event),
      on: <T>(topic: Topic<T>, listener: (event: T) => void | Promise<void>) => {
        const undo = this.bus.subscribe('content', topic, listener);
        this.#cleanups.push(undo);
        if (topic.name === meshReady.name) void listener({} as T);
      },
      background: (_what, work) => void work.catch(() => {}),
      defer: (cleanup) => void this.#cleanups.push(cleanup),
    };
    return context as ContentContext;
  }
}

function refTo<T>(service: T, isOn = () => true): Ref<T> {
  const use = async (call: (service: T) => unknown): Promise<unknown> => call(service);
  return {
    get available() {
      return isOn();
    },
    use,
    tryUse: async (call: (service: T) => unknown) => (isOn() ? call(service) : undefined),
  } as unknown as Ref<T>;
}

function wireError(name: string): ItsgoinError {
  return new ItsgoinError(`wire/${name}`, { message: name });
}
