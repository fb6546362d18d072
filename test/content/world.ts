import type { ExecutionContext } from 'ava';
import type { Identity } from '../../kernel/identity/index.ts';
import { ItsgoinError, validatorOf } from '../../kernel/index.ts';
import type { AnyMessage, AnyPlugin, Contribution, NodeId } from '../../kernel/index.ts';
import { standIn, testIdentity, TestNetwork, type TestNode as KitNode } from '../../kernel/testing/index.ts';
import { MESH } from '../../plugins/mesh/api.ts';
import { HANDSHAKE, peerReady, PEERS } from '../../plugins/peers/api.ts';
import type { HandshakeExtension } from '../../plugins/peers/api.ts';
import { followed, SOCIAL, unfollowed } from '../../plugins/social/api.ts';
import { CONTENT, type ContentService } from '../../plugins/content/api.ts';
import type { SyncPost } from '../../plugins/content/post.ts';
import { composePost } from '../../plugins/content/publish.ts';
import contentPlugin from '../../plugins/content/plugin.ts';

export { testIdentity } from '../../kernel/testing/index.ts';

type Answer = (message: AnyMessage, body: never) => unknown;

export function signedPost(identity: Identity, text: string, timestampMs: number): SyncPost {
  return composePost(identity, text, timestampMs, [identity.nodeId]);
}

/** Nodes that run the content plugin, with mesh and social played by the test. */
export class World {
  readonly net: TestNetwork;
  readonly nodes = new Map<NodeId, TestNode>();

  constructor(t: ExecutionContext) {
    this.net = new TestNetwork({ t, link: { latencyMs: 1 } });
  }

  get clock() {
    return this.net.time.clock;
  }

  /** A node with its plugin on. */
  async node(name: string, config: Record<string, number> = {}): Promise<TestNode> {
    const node = new TestNode(this, testIdentity(name));
    this.nodes.set(node.id, node);
    node.kit = await this.net.add({ name, plugins: node.plugins(), config: { content: config } });
    return node;
  }

  /** Lets all that is under way come to its end. */
  async settle(): Promise<void> {
    await this.clock.advance(50);
  }

  async connect(a: TestNode, b: TestNode): Promise<void> {
    await this.net.connect(a.kit, b.kit);
    a.links.add(b.id);
    b.links.add(a.id);
    const ways = [
      [a, b],
      [b, a],
    ] as const;
    for (const [from, to] of ways) await this.clock.until(from.sendSections(to));
    for (const [one, other] of ways) {
      const connectionId = one.kit.connections(other.kit)[0]?.id ?? 0;
      one.bus.publish(peerReady, { peer: other.identity.self, connectionId, features: [] });
    }
    await this.settle();
  }

  disconnect(a: TestNode, b: TestNode): void {
    a.links.delete(b.id);
    b.links.delete(a.id);
    for (const { id } of a.kit.connections(b.kit)) a.kit.kernel.network.close(id, 'done');
  }
}

export class TestNode {
  readonly world: World;
  readonly identity: Identity;
  /** The node itself; set once it has started. */
  kit!: KitNode;
  /** Connected peers, as mesh tells of them. */
  readonly links = new Set<NodeId>();
  readonly follows = new Set<NodeId>();
  readonly followers = new Set<NodeId>();
  preferred: readonly NodeId[] = [];
  /** What content adds to the handshake, once its plugin is on. */
  extensions: () => readonly Contribution<HandshakeExtension>[] = () => [];
  readonly sent: { to: NodeId; name: string; body: unknown }[] = [];
  /** Answers in the place of this node, or throws what the wire would; `undefined` leaves it to the node. */
  answer: Answer | undefined;
  /** Whether what this node sends gets lost. */
  lossy = false;

  constructor(world: World, identity: Identity) {
    this.world = world;
    this.identity = identity;
  }

  get id(): NodeId {
    return this.identity.nodeId;
  }

  get bus() {
    return this.kit.kernel.bus;
  }

  get counters() {
    return { read: () => this.kit.counters('content') };
  }

  /** Runs a command as the control API does. */
  run(command: string, params: Record<string, unknown> = {}): Promise<unknown> {
    return this.kit.run<unknown>(command, params);
  }

  service<R>(call: (service: ContentService) => R | Promise<R>): Promise<Awaited<R>> {
    return this.kit.service(CONTENT, call);
  }

  /** What the plugin says of itself. */
  figures(): Readonly<Record<string, unknown>> {
    return this.kit.inspect('content').diagnostics;
  }

  async texts(): Promise<string[]> {
    const { posts } = await this.kit.run<{ posts: { text: string }[] }>('feed.list');
    return posts.map(({ text }) => text);
  }

  async start(): Promise<void> {
    await this.kit.enable('content');
  }

  async stop(): Promise<void> {
    await this.kit.disable('content');
  }

  async reload(): Promise<void> {
    await this.kit.reload('content');
  }

  async follow(other: TestNode): Promise<void> {
    this.follows.add(other.id);
    other.followers.add(this.id);
    this.bus.publish(followed, { nodeId: other.id, relation: 'follow', addresses: [] });
    await this.world.settle();
  }

  async unfollow(other: TestNode): Promise<void> {
    this.follows.delete(other.id);
    other.followers.delete(this.id);
    this.bus.publish(unfollowed, { nodeId: other.id, relation: undefined });
    await this.world.settle();
  }

  /** What this node says to another in one part of the handshake. */
  told(name: string, to: TestNode): unknown {
    const part = this.extensions().find((one) => one.name === name);
    return part?.ask<unknown>(({ collect }) => collect(to.identity.self), undefined);
  }

  async sendSections(to: TestNode): Promise<void> {
    for (const part of this.extensions()) {
      const collected = part.ask<unknown>(({ collect }) => collect(to.identity.self), undefined);
      const value: unknown = JSON.parse(JSON.stringify(collected));
      const theirs = to.extensions().find(({ name }) => name === part.name);
      await theirs?.use(({ receive }) => receive(this.identity.self, value));
    }
  }

  /** A message that `from` sends to this node, whether mesh knows of a connection or not; resolves when it has had its effect. */
  async receive(from: TestNode, message: AnyMessage, body: unknown): Promise<unknown> {
    const { network } = from.kit.kernel;
    await network.dial({ nodeId: this.id, addresses: [this.kit.address] });
    const answer: unknown = await network.sendTo(this.id, message, body);
    await this.world.clock.sleep(20);
    return answer;
  }

  /** Mesh and social as this object says, and the plugin itself, whose sends are noted. */
  plugins(): AnyPlugin[] {
    return [
      this.#peers(),
      standIn('mesh', MESH, { nplus10: () => [this.id, ...this.preferred] }),
      standIn('social', SOCIAL, {
        follows: () => [...this.follows],
        followers: () => [...this.followers],
        followersAmong: (nodeIds: readonly NodeId[]) => nodeIds.filter((nodeId) => this.followers.has(nodeId)),
        displayName: (nodeId) => (nodeId === this.id ? 'me' : undefined),
      }),
      this.#content(contentPlugin),
    ];
  }

  #peers(): AnyPlugin {
    const played = standIn('peers', PEERS, {
      peers: () => [...this.links].map((nodeId) => ({ peer: { nodeId } }) as never),
    });
    return {
      ...played,
      points: [HANDSHAKE],
      setup: (ctx) => {
        this.extensions = () => ctx.contributions(HANDSHAKE);
        return played.setup(ctx);
      },
    };
  }

  #content(plugin: AnyPlugin): AnyPlugin {
    return {
      ...plugin,
      setup: (ctx) =>
        plugin.setup({
          ...ctx,
          send: (to, message, body, options) => {
            const nodeId = typeof to === 'string' ? to : to.nodeId;
            this.sent.push({ to: nodeId, name: message.name, body });
            return this.#played(nodeId, message, body) ?? ctx.send(to, message, body, options);
          },
        }),
    };
  }

  /** What becomes of a message that the test plays the other side of. */
  #played(to: NodeId, message: AnyMessage, body: unknown): Promise<never> | undefined {
    if (this.lossy) return Promise.reject(wireError('connection-closed'));
    const wire: unknown = JSON.parse(JSON.stringify(body));
    let answer: unknown;
    try {
      answer = this.world.nodes.get(to)?.answer?.(message, wire as never);
    } catch (error) {
      return Promise.reject(error);
    }
    if (answer === undefined) return undefined;
    const back: unknown = JSON.parse(JSON.stringify(answer));
    if (message.response !== undefined && !validatorOf(message.response.body).check(back))
      return Promise.reject(wireError('bad-response'));
    return this.world.clock.sleep(2).then(() => back as never);
  }
}

function wireError(name: string): ItsgoinError {
  return new ItsgoinError(`wire/${name}`, { message: name });
}
