import type { UiContributions } from '../../kernel/control/commands/ui.ts';
import { ItsgoinError } from '../../kernel/sdk/errors.ts';
import type { ControlClient } from '../../kernel/control/client.ts';
import type { CommandDescription } from '../../kernel/control/protocol.ts';
import { builtinContributions } from './builtin-ui.ts';

export const SELF = `5e1f${'ab'.repeat(30)}`;
export const ALICE = `a11ce0${'3c'.repeat(29)}`;
export const BOB = `b0b000${'7d'.repeat(29)}`;
export const DAVE = `da7e00${'5b'.repeat(29)}`;
export const CAROL = `ca401e${'91'.repeat(29)}`;
/** The present of the fake node. */
export const NOW_MS = Date.UTC(2026, 1, 24, 12, 0, 0);

export interface FakePost {
  id: string;
  author: string;
  timestamp_ms: number;
  text: string;
  visibility: string;
  author_name?: string;
}

type Params = Record<string, unknown>;

/** A node in memory behind the control interface, with the answers' real shapes. */
export class FakeNode implements ControlClient {
  posts: FakePost[] = [];
  follows: Params[] = [
    { node_id: ALICE, display_name: 'Alice', online: true, last_online_ms: NOW_MS, friend: true },
    { node_id: CAROL, display_name: 'Carol', online: false, last_online_ms: NOW_MS - 3 * 3_600_000, friend: false },
  ];
  peers: Params[] = [peer(ALICE, 'mesh', 'preferred'), peer(BOB, 'session')];
  plugins: Params[] = ['content', 'mesh', 'social', 'anchors', 'worm-search', 'routing'].map((name) => ({
    name,
    version: '1.0.0',
    state: 'active',
    generation: 1,
    source: 'builtin',
    about: `The ${name} of the node`,
    reason: null,
  }));
  profile: Params = { node_id: SELF, name: 'Dana', bio: 'Trying this out' };
  config: Params = { 'node.log_level': 'info', 'content.keepDays': 30 };
  /** Every call made, for assertions. */
  calls: { method: string; params: Params }[] = [];
  /** When set, every call fails as on a closed connection. */
  down = false;
  /** Answers to give instead of the node's own. */
  answers = new Map<string, (params: Params) => unknown>();
  #listeners = new Map<string, Set<(event: unknown) => void>>();
  #nextPost = 1;

  #ended = Promise.withResolvers<ItsgoinError | undefined>();

  get closed(): Promise<ItsgoinError | undefined> {
    return this.#ended.promise;
  }

  async call<R = unknown>(method: string, params: object = {}): Promise<R> {
    return (await this.#answer(method, params)) as R;
  }

  async run(command: string, params: object = {}): Promise<{ result: unknown }> {
    return { result: await this.#answer(command, params) };
  }

  async describe(): Promise<CommandDescription[]> {
    return COMMANDS;
  }

  close(): void {
    this.#ended.resolve(undefined);
  }

  async #answer(method: string, params: object): Promise<unknown> {
    const given = params as Params;
    this.calls.push({ method, params: given });
    await Promise.resolve();
    if (this.down) throw CONNECTION_LOST;
    const special = this.answers.get(method);
    if (special !== undefined) return special(given);
    const plugin = OWNER[method.split('.')[0] ?? ''];
    if (plugin !== undefined && this.#plugin(plugin).state !== 'active') throw unknownCommand(method);
    const answer = this.#methods[method];
    if (answer === undefined) throw unknownCommand(method);
    return structuredClone(answer(given));
  }

  async subscribe(
    stream: string,
    _params: object,
    onEvent: (event: never, dropped: number) => void,
  ): Promise<() => void> {
    if (this.down) throw CONNECTION_LOST;
    const listener = (event: unknown) => onEvent(event as never, 0);
    const listeners = this.#listeners.get(stream) ?? new Set();
    this.#listeners.set(stream, listeners.add(listener));
    return () => void listeners.delete(listener);
  }

  emit(topic: string, event: unknown = {}): void {
    this.push('events', { topic, atMs: NOW_MS, event });
  }

  push(stream: string, event: unknown): void {
    for (const listener of this.#listeners.get(stream) ?? []) listener(event);
  }

  listeners(stream: string): number {
    return this.#listeners.get(stream)?.size ?? 0;
  }

  /** Ends the connection as a node that is killed does. */
  drop(): void {
    this.down = true;
    this.#listeners.clear();
    this.#ended.resolve(CONNECTION_LOST);
  }

  /** The node is there again, for whoever connects anew. */
  revive(): ControlClient {
    if (this.down) throw CONNECTION_LOST;
    this.#ended = Promise.withResolvers();
    return this;
  }

  addPost(author: string, text: string, agoMs = 0, visibility = 'public'): FakePost {
    const id = (this.#nextPost++).toString(16).padStart(64, '0');
    const post = { id, author, timestamp_ms: NOW_MS - agoMs, text, visibility };
    this.posts.push(post);
    this.posts.sort((a, b) => b.timestamp_ms - a.timestamp_ms || (a.id < b.id ? -1 : 1));
    return post;
  }

  countOf(method: string): number {
    return this.calls.filter((call) => call.method === method).length;
  }

  /** What the real plugins contribute, those that are off left out, as the node does it. */
  #contributions(): UiContributions {
    const commands = Object.keys(this.#methods);
    const plugins = this.plugins.map(({ name, state }) => ({
      name: String(name),
      state: state as 'active' | 'off',
      commands: commands.filter((command) => OWNER[command.split('.')[0] ?? ''] === name),
    }));
    return builtinContributions(plugins);
  }

  #plugin(name: string): Params {
    return this.plugins.find((plugin) => plugin.name === name) ?? {};
  }

  #page(posts: FakePost[], { limit = 50, cursor = '0' }: { limit?: number; cursor?: string }) {
    const from = Number(cursor);
    const page = posts.slice(from, from + limit);
    return { posts: page, next: from + limit < posts.length ? String(from + limit) : null };
  }

  #swap(name: string, state: string) {
    Object.assign(this.#plugin(name), { state });
    this.emit('plugin/changed', { name });
    return {
      name,
      outcome: state === 'active' ? 'committed' : 'disabled',
      generation: 2,
      reason: null,
      held_ms: 1,
      total_ms: 12,
    };
  }

  readonly #methods: Readonly<Record<string, (params: Params) => unknown>> = {
    status: () => ({
      node_id: SELF,
      uptime_ms: 7_500_000,
      port: 41_234,
      peers: this.peers.length,
      posts: this.posts.length,
      rss_bytes: 84e6,
      ...(this.#plugin('routing').state === 'active' ? { n1: 1, n2: 23, n3: 4_120 } : {}),
    }),
    'identity.show': () => ({
      node_id: SELF,
      device_id: 'd'.repeat(64),
      connect: [`${SELF}@192.168.1.20:41234,[2001:db8::7]:41234`],
    }),
    'profile.show': ({ node_id }) =>
      node_id === undefined
        ? this.profile
        : { node_id, name: '', bio: node_id === ALICE ? 'Gardens, bread and small computers' : '' },
    'profile.set': (params) => Object.assign(this.profile, params),
    'config.list': () => ({ settings: this.config, problems: [] }),
    'config.set': ({ key, value }) => ({ key, value, restart: true }),
    'feed.list': (params) => this.#page(this.posts, params),
    'post.list': (params) =>
      this.#page(
        this.posts.filter(({ author }) => author === params.author),
        params,
      ),
    'post.create': ({ text }) => {
      const { id } = this.addPost(SELF, text as string);
      this.emit('content/post-stored', { id });
      return { id };
    },
    'post.delete': ({ id }) => {
      this.posts = this.posts.filter((post) => post.id !== id);
      this.emit('content/post-deleted', { id });
      return { id };
    },
    'peer.list': () => ({ peers: this.peers }),
    'peer.reach': ({ node_id }) => ({
      node_id,
      reach: this.peers.find((one) => one.node_id === node_id)?.reach ?? (node_id === CAROL ? 'n2' : 'none'),
      n2_reporters: node_id === CAROL ? [ALICE] : [],
      n3_reporters: [],
    }),
    'peer.explain': ({ node_id }) => ({ node_id, verdict: 'seen before', addresses: ['192.0.2.9:4433'] }),
    'mesh.slots': () => ({
      held: 1,
      reserved: 0,
      limit: 101,
      preferred: [ALICE],
      preferred_held: 1,
      preferred_limit: 10,
      other_held: 0,
      connections: { mesh: [ALICE], session: [BOB] },
    }),
    'growth.explain': () => ({
      verdict: 'trying 1 now',
      used: 1,
      slots: 101,
      reactive_below: 91,
      failures: 1,
      refusals: 0,
      skipped: 1,
      trying: [{ node_id: CAROL, why: 'candidate', score: 1.3 }],
      tried: [
        {
          at_ms: NOW_MS,
          node_id: DAVE,
          why: 'candidate',
          outcome: 'unreachable',
          reason: 'resolve/unreachable',
          took_ms: 812,
        },
      ],
      candidates: [{ node_id: CAROL, score: 1.3, reporters: 1, in_n3: false }],
    }),
    'worm.explain': () => ({
      running: [{ kind: 'post', id: 'ab'.repeat(32), started_at_ms: NOW_MS }],
      ended: [
        {
          at_ms: NOW_MS,
          kind: 'node',
          id: DAVE,
          found: false,
          local: false,
          holder: null,
          took_ms: 3_000,
          messages: 12,
        },
      ],
    }),
    'anchor.explain': () => ({
      rejoins: [
        {
          cause: 'bootstrap',
          at_ms: NOW_MS,
          took_ms: 40,
          steps: [{ what: 'anchor', node_id: ALICE, took_ms: 40, result: 'connected' }],
        },
      ],
    }),
    'anchor.request': () => ({ reached: 2 }),
    'rebalance.now': () => ({
      steps: [{ do: 'close', node_id: DAVE, reason: 'zombie' }, { do: 'signal-growth' }],
      summary: '1 closed, lets it grow',
    }),
    'ui.list': () => this.#contributions(),
    'peer.connect': ({ target }) => {
      this.peers.push(peer((target as string).split('@')[0] ?? '', 'mesh', 'non-preferred'));
      return {};
    },
    'follow.list': () => ({ follows: this.follows }),
    'follow.add': ({ target }) => this.follows.push({ node_id: (target as string).split('@')[0] }),
    'follow.remove': ({ node_id }) => {
      this.follows = this.follows.filter((follow) => follow.node_id !== node_id);
    },
    'plugin.list': () => ({ plugins: this.plugins }),
    'plugin.inspect': ({ name }) => ({ name, handlers: ['postNotification'], counters: { stored: 3 } }),
    'plugin.enable': ({ name }) => this.#swap(name as string, 'active'),
    'plugin.disable': ({ name }) => this.#swap(name as string, 'off'),
    'plugin.reload': ({ name }) => this.#swap(name as string, 'active'),
  };
}

const CONNECTION_LOST = new ItsgoinError('control/connection-lost', {
  message: 'The node closed the control connection',
});

const TEXT = { type: 'string' };
const COMMANDS: CommandDescription[] = [
  { name: 'status', about: 'The node', plugin: 'kernel', kind: 'call', params: {}, result: {}, positional: [] },
  {
    name: 'post.create',
    about: 'Publish',
    plugin: 'content',
    kind: 'call',
    params: { properties: { text: TEXT }, required: ['text'] },
    result: {},
    positional: ['text'],
  },
  {
    name: 'post.delete',
    about: 'Delete',
    plugin: 'content',
    kind: 'call',
    params: { properties: { id: TEXT }, required: ['id'] },
    result: {},
    positional: ['id'],
    confirm: 'Delete it?',
  },
];

const OWNER: Readonly<Record<string, string>> = {
  feed: 'content',
  post: 'content',
  follow: 'social',
  profile: 'social',
  peer: 'mesh',
  mesh: 'mesh',
  growth: 'mesh',
  rebalance: 'mesh',
  anchor: 'anchors',
  worm: 'worm-search',
};

function peer(nodeId: string, kind: string, slot = 'none'): Params {
  return {
    node_id: nodeId,
    device_id: nodeId.split('').reverse().join(''),
    kind,
    slot,
    reach: slot === 'none' ? 'n1' : 'mesh',
    direction: 'outbound',
    remote_addr: '192.168.1.7:41234',
    connected_at_ms: NOW_MS - 600_000,
    last_activity_ms: NOW_MS - 4_000,
  };
}

function unknownCommand(command: string): ItsgoinError {
  return new ItsgoinError('command/unknown-command', {
    message: `There is no command ${command}`,
    hint: 'List the commands with `itsgoin help`; a plugin that is off offers none',
  });
}
