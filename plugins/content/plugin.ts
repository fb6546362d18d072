import { readPostId } from './post-id.ts';
import type { PostId } from './post-id.ts';
import { bind, contribute, definePlugin, KNOWN_IDS, readNodeId, serviceArrived, Type } from '../../kernel/index.ts';
import type { NodeId } from '../../kernel/index.ts';
import { extensionFeature, HANDSHAKE, peerFeaturesChanged, peerReady, PEERS, SECTION_MAX_BYTES } from '../peers/api.ts';
import type { HandshakeExtension } from '../peers/api.ts';
import { followed, SOCIAL, unfollowed } from '../social/api.ts';
import { HOLDINGS } from '../worm-search/api.ts';
import type { HoldingSource } from '../worm-search/api.ts';
import { Announcer } from './announce.ts';
import type { Announcement } from './announce.ts';
import {
  CONTENT,
  DELETES_PART,
  deleteRecord,
  postDeleted,
  postRoomShort,
  postsMadeRoom,
  postFetch,
  postNotification,
  postStored,
  pullSync,
} from './api.ts';
import type { ContentService, DeletesPart } from './api.ts';
import { PostAuthor } from './post-author.ts';
import { AuthorLog } from './author-log.ts';
import { contentCommands } from './commands.ts';
import { ContentConfig } from './config.ts';
import { Contacts } from './contacts.ts';
import { contentNeeds } from './context.ts';
import { Encounters } from './encounters.ts';
import { contentErrors } from './errors.ts';
import { Feed } from './feed.ts';
import { fetchPost } from './fetch.ts';
import { Ingest } from './ingest.ts';
import { contentMigrations } from './migrations/index.ts';
import { IncomingNotifications } from './incoming-notifications.ts';
import { isRecord } from './post.ts';
import { PostBudget, SHORT_FROM } from './post-budget.ts';
import { PostStore } from './post-store.ts';
import { SyncResponder } from './sync-responder.ts';
import { Sync } from './sync.ts';
import { SyncCursors } from './sync-cursors.ts';
import { Views } from './views.ts';
import { Writer } from './writer.ts';
import { contentUi } from './ui.ts';

/** Writes that may fail in a row before a new generation counts as broken. */
const FAILED_WRITES_MAX = 3;
/** How often it is looked for people whose last encounter is too long ago. */
const STALE_CHECK_MS = 60_000;
/** Delete records read from one handshake; agrees with what `exchangeDeletes` allows. */
const PART_DELETES_MAX = 3_000;
/** What we tell of them in one, so that long ones do not make the part too large to be told. */
const PART_DELETES_MAX_BYTES = SECTION_MAX_BYTES - 1_024;

export default definePlugin({
  name: 'content',
  version: '1.0.0',
  kernel: '^1',
  about: 'Public posts: write, verify, store, spread, feed and delete',
  config: ContentConfig,
  inject: contentNeeds,
  provides: [CONTENT],
  messages: { pullSync, postNotification, deleteRecord, postFetch },
  commands: contentCommands,
  migrations: contentMigrations,
  features: [extensionFeature(DELETES_PART)],
  // Markers of pulls are on disk with what they cover; only what is being told to peers is in memory.
  state: Type.Object({ announcing: Type.Array(Type.Unknown()) }),

  async setup(ctx) {
    const now = (): number => ctx.clock.now();
    const { signer } = ctx.deps;
    const self = ctx.self.nodeId;
    const store = new PostStore(ctx.db);
    const budget = new PostBudget(ctx.db, store, self, ctx.config, now);
    const cursors = new SyncCursors(ctx.db);
    const encounters = new Encounters(ctx.db);
    const writer = new Writer(ctx.db, ctx.clock);
    ctx.defer(() => writer.close());
    const contacts = new Contacts(ctx);
    const announcer = new Announcer(ctx, contacts);
    const desk = new PostAuthor({
      signer,
      store,
      writer,
      announcer,
      nplus10: () => contacts.nplus10(),
      now,
      stored: (post) => ctx.emit(postStored, { posts: [post], origin: 'own' }),
      deleted: ({ post_id, author }) => ctx.emit(postDeleted, { id: post_id, author, hadPost: true }),
    });
    const ingest = new Ingest({
      store,
      budget,
      writer,
      counters: ctx.counters,
      now,
      evicted(count) {
        posts -= count;
        ctx.counters.add('posts-made-room', count);
        ctx.emit(postsMadeRoom, { count, maxBytes: budget.maxBytes });
      },
      stored: (posts, origin) => ctx.emit(postStored, { posts, origin }),
      deleted: ({ post_id, author }, hadPost) => ctx.emit(postDeleted, { id: post_id, author, hadPost }),
    });
    const sync = new Sync({ ctx, contacts, store, cursors, encounters, ingest, writer });
    const notices = new IncomingNotifications({ ctx, contacts, store, budget, ingest, sync });
    const server = new SyncResponder(store, new AuthorLog(ctx.db), ctx.config.pullPageEntries);
    const views = new Views({ store, feed: new Feed(ctx.db), contacts, self, defaultLimit: ctx.config.feedPage });
    // Frames are served from the commit on, and whose posts we want must be known by then.
    await contacts.refresh();

    // What a pull rejects with is tried again with the next trigger.
    const pullAll = (): void => ctx.background('pull-all', sync.requestAll());
    const pullIfFollowed = async (peer: NodeId): Promise<void> => {
      if ((await contacts.refresh()).has(peer)) void sync.request(peer);
    };

    ctx.on(peerReady, ({ peer }) => ctx.background('pull', pullIfFollowed(peer.nodeId)));
    // The peer may have switched its content plugin on.
    ctx.on(peerFeaturesChanged, ({ peer }) => ctx.background('pull', pullIfFollowed(peer.nodeId)));
    // Whoever is connected may hold posts of the newly followed, who need not be connected (SOC-07).
    ctx.on(followed, pullAll);
    ctx.on(unfollowed, ({ nodeId }) => {
      contacts.drop(nodeId);
      // In one queue with the markers of pulls, so that none of them comes after this.
      ctx.background(
        'forget',
        writer.bulk(() => {
          cursors.forget(nodeId);
          encounters.forget(nodeId);
        }),
      );
    });
    ctx.on(serviceArrived, ({ token }) => {
      if (token === SOCIAL.name || token === PEERS.name) pullAll();
    });
    const deletesExtension: HandshakeExtension = {
      collect: (): DeletesPart => ({
        deletes: store.recentDeletes(ctx.config.exchangeDeletes, PART_DELETES_MAX_BYTES),
      }),
      receive: async (_peer, value) => {
        const deletes = isRecord(value) ? value.deletes : undefined;
        if (!Array.isArray(deletes)) return ctx.counters.add('delete-refused:malformed');
        await ingest.deletes(deletes.slice(0, PART_DELETES_MAX), (author) => contacts.isKept(author), ctx.signal);
      },
    };
    const holdings: HoldingSource = {
      kind: 'post',
      holds: (id) => server.fetch(id as PostId).found,
      holders: () => [],
      fetch: async (id, holder, { signal }) => (await fetchPost(ctx, id as PostId, holder, signal)) !== undefined,
    };

    const pullNow = async (peer?: NodeId): Promise<{ peers: number; posts: number }> => {
      const follows = await contacts.refresh();
      const connected = (await contacts.connected()).filter((nodeId) => follows.has(nodeId));
      if (peer !== undefined && !connected.includes(peer)) throw contentErrors.make('not-a-source', { peer });
      const peers = peer === undefined ? connected : [peer];
      const stored = await Promise.all(peers.map((nodeId) => sync.request(nodeId)));
      return { peers: peers.length, posts: stored.reduce((sum, one) => sum + one, 0) };
    };
    const service: ContentService = {
      get: (id) => store.get(id),
      list: (author, query) => views.list(author, query),
      feed: (query) => views.feed(query),
      create: (text) => desk.create(text),
      remove: (id) => desk.remove(id),
      fetch: (id, holder, options) => fetchPost(ctx, id, holder, options?.signal),
      sync: async (peer) => void (await pullNow(peer)),
      encountered: async (author, atMs) => {
        if (contacts.isFollowed(author)) await writer.bulk(() => encounters.met(author, atMs, now()));
      },
      lastEncounterMs: (author) => encounters.lastMs(author),
    };
    // Kept by the events, which both generations of a swap hear, and counted anew now and then.
    let posts = 0;
    ctx.on(postStored, (event) => {
      posts += event.posts.length;
    });
    ctx.on(postDeleted, ({ hadPost }) => {
      if (hadPost) posts -= 1;
    });
    let interrupted: readonly Announcement[] = [];
    /** Once for each time that it becomes short. */
    let short = false;
    const warnWhenShort = (): void => {
      const usedBytes = budget.usedBytes();
      const was = short;
      short = usedBytes > SHORT_FROM * budget.maxBytes;
      if (!short || was) return;
      ctx.log.warn('room-for-posts-short', { used_bytes: usedBytes, max_bytes: budget.maxBytes });
      ctx.emit(postRoomShort, { usedBytes, maxBytes: budget.maxBytes });
    };

    return {
      services: [bind(CONTENT, service)],
      contributes: [
        ...contentUi,
        contribute(HANDSHAKE, deletesExtension, { name: DELETES_PART }),
        contribute(HOLDINGS, holdings),
        contribute(
          KNOWN_IDS,
          { kind: 'post', startingWith: (...ask) => store.startingWith(...ask) },
          { name: 'content/posts' },
        ),
        contribute(
          KNOWN_IDS,
          { kind: 'node', startingWith: (...ask) => store.authorsStartingWith(...ask) },
          { name: 'content/authors' },
        ),
      ],
      handlers: {
        pullSync: (request) => server.pull(request),
        postFetch: ({ post_id }) => server.fetch(post_id),
        postNotification: (notice, call) => notices.posted(notice, call),
        deleteRecord: (record, call) => notices.deleted(record, call),
      },
      commands: {
        'post.create': async ({ text }) => ({ id: await desk.create(text) }),
        'post.show': async ({ id }) => {
          const post = store.get(readPostId(id));
          if (post === undefined) throw contentErrors.make('no-such-post', { id });
          if (post.post.author !== self)
            ctx.background(
              'opened',
              writer.one(() => store.opened(post.id)),
            );
          return {
            ...(await views.view(post)),
            kind: post.post.kind,
            nplus10: [...post.post.nplus10],
            signature: post.signature,
          };
        },
        'post.delete': async ({ id }) => {
          const postId = readPostId(id);
          await desk.remove(postId);
          return { deleted: postId };
        },
        'post.list': ({ author, ...query }) => views.list(author === undefined ? self : readNodeId(author), query),
        'feed.list': (query) => views.feed(query),
        'sync.now': ({ peer }) => pullNow(peer === undefined ? undefined : readNodeId(peer)),
      },
      loops: {
        pull: {
          everyMs: STALE_CHECK_MS,
          run() {
            posts = store.count();
            warnWhenShort();
            ctx.background('pull-stale', sync.requestStale(ctx.config.encounterMs));
          },
        },
      },
      async activate() {
        posts = store.count();
        for (const announcement of interrupted) announcer.announce(announcement);
        // What arrived at others while this plugin was off or being reloaded.
        pullAll();
      },
      snapshot() {
        // Committed before this returns, so that the next generation sees it.
        void writer.close();
        return { announcing: announcer.underWay };
      },
      restore: ({ announcing }) => {
        interrupted = announcing as readonly Announcement[];
      },
      healthy: () => writer.failuresInARow < FAILED_WRITES_MAX,
      diagnostics: () => ({
        posts,
        follows: contacts.follows.size,
        pulling: sync.peers,
        announcing: announcer.underWay.length,
        writesWaiting: writer.waiting,
        othersBytes: budget.usedBytes(),
        othersMaxBytes: budget.maxBytes,
        status: { posts },
      }),
    };
  },
});
