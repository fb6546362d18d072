import { deleteRecords } from './delete-record.ts';
import type { PostId } from './post-id.ts';
import { PostIdSchema } from './post-id.ts';
import {
  defineRequest,
  defineNotice,
  defineToken,
  defineTopic,
  hexSchema,
  NodeIdSchema,
  Type,
} from '../../kernel/index.ts';
import type { NodeId } from '../../kernel/index.ts';
import type { DeleteRecord } from './delete-record.ts';
import type { SyncPost } from './post.ts';

export { type PostId, PostIdSchema } from './post-id.ts';
export type { DeleteRecord } from './delete-record.ts';
export type { Attachment, Post, SyncPost, Visibility } from './post.ts';

/** A post in short, as events name it. */
export interface PostRef {
  readonly id: PostId;
  readonly author: NodeId;
  readonly timestampMs: number;
}

/** How a post came to be stored: written here, announced by a peer, or found by pull sync. */
export type PostOrigin = 'own' | 'push' | 'pull';

/** A post as lists show it; what `feed list` and `post list` answer. */
export interface PostView {
  readonly id: string;
  readonly author: string;
  /** From the author's profile, when one is known. */
  readonly author_name?: string;
  readonly timestamp_ms: number;
  readonly text: string;
  readonly visibility: string;
}

export interface PostPage {
  readonly posts: PostView[];
  /** Pass it as `cursor` for the page after; null at the end. */
  readonly next: string | null;
}

export interface PageQuery {
  /** 1 to 200, default 50. */
  readonly limit?: number;
  readonly cursor?: string;
}

export interface ContentService {
  /** A stored post with its proof. */
  get(id: PostId): SyncPost | undefined;
  /** Posts of one author, newest first. @throws content/bad-cursor */
  list(author: NodeId, query?: PageQuery): Promise<PostPage>;
  /** Posts of the user and of those the user follows, newest first (VIS-04). @throws content/bad-cursor */
  feed(query?: PageQuery): Promise<PostPage>;
  /** Publishes; resolves once the post is on disk. @throws content/bad-post, store/* */
  create(text: string): Promise<PostId>;
  /** Deletes one of the user's own posts for good. @throws content/no-such-post, content/not-author */
  remove(id: PostId): Promise<void>;
  /**
   * Gets one post of anybody from a connected node that is said to hold it, checks it and stores nothing;
   * `undefined` when that node does not have it. @throws wire/*, the signal's reason
   */
  fetch(id: PostId, holder: NodeId, options?: { signal?: AbortSignal }): Promise<SyncPost | undefined>;
  /** Pulls from the connected people the user follows, or from one of them; resolves when done. */
  sync(peer?: NodeId): Promise<void>;
  /**
   * A verified file header of this author, from whatever holder, says when its files last changed: if
   * that is newer than the last encounter, the next pull can wait (SYNC-06). Nothing for who is not followed.
   */
  encountered(author: NodeId, fileUpdateMs: number): Promise<void>;
  /** Self Last Encounter in ms since the epoch; 0 for never (SYNC-05). */
  lastEncounterMs(author: NodeId): number;
}

export const CONTENT = defineToken<ContentService>('content');

/** Others' posts take most of the room they have (`content.othersMaxBytes`); soon the oldest make room. */
export const postRoomShort = defineTopic<{ readonly usedBytes: number; readonly maxBytes: number }>(
  'content/post-room-short',
);

/** So many posts of others went to make room for newer ones. */
export const postsMadeRoom = defineTopic<{ readonly count: number; readonly maxBytes: number }>(
  'content/posts-made-room',
);

/** Posts are on disk and in the feeds they belong to. One event a commit, not one a post. */
export const postStored = defineTopic<{ readonly posts: readonly PostRef[]; readonly origin: PostOrigin }>(
  'content/post-stored',
);
/** A delete record was stored; `hadPost` says whether the post was here. */
export const postDeleted = defineTopic<{ readonly id: PostId; readonly author: NodeId; readonly hadPost: boolean }>(
  'content/post-deleted',
);
/** Pull sync with a peer reached the end. */
export const syncFinished = defineTopic<{ readonly peer: NodeId; readonly stored: number; readonly refused: number }>(
  'content/sync-finished',
);

const Timestamp = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER });
const Seq = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });

/** Authors of one pull request; who follows more asks in several. */
export const PULL_AUTHORS_MAX = 1_000;
/** Posts, ids and delete records of one answer, and ids one request may want. */
export const PULL_ENTRIES_MAX = 500;
/** The answering side ends a page when its posts reach this; one post fits always. */
export const PULL_PAGE_BYTES = 1024 * 1024;
/** Canonical bytes up to which a notification carries its post, which saves the round trip. */
export const INLINE_POST_MAX_BYTES = 16 * 1024;

const Cursor = Type.Object({ author: NodeIdSchema, since: Seq });

/**
 * 0x40. Markers are places in the answering node's log, in the order things arrived there, so a post
 * that reaches it late comes after every marker it gave out. `log` names that log; for another one all
 * markers count as 0. With `wanted` the posts of these ids are asked for and `authors` is empty.
 */
export const pullSync = defineRequest({
  code: 0x40,
  name: 'PullSyncRequest',
  about: 'Asks for posts and delete records of some authors after a marker',
  body: Type.Object({
    log: Type.Optional(hexSchema(16)),
    authors: Type.Array(Cursor, { maxItems: PULL_AUTHORS_MAX }),
    ids_only: Type.Optional(Type.Boolean()),
    wanted: Type.Optional(Type.Array(PostIdSchema, { maxItems: PULL_ENTRIES_MAX })),
  }),
  maxBytes: 160 * 1024,
  deadlineMs: 20_000,
  // 15 pages of 500 posts a second are what a core can verify; a request costs us up to 12 ms.
  budget: { perSecond: 15, burst: 60, inFlight: 2 },
  response: {
    code: 0x41,
    name: 'PullSyncResponse',
    // Posts and deletes are checked one by one on receipt: a bad one must not cost the page.
    body: Type.Object({
      log: hexSchema(16),
      posts: Type.Array(Type.Unknown(), { maxItems: PULL_ENTRIES_MAX }),
      ids: Type.Optional(
        Type.Array(Type.Object({ author: NodeIdSchema, id: PostIdSchema }), { maxItems: PULL_ENTRIES_MAX }),
      ),
      deletes: Type.Array(Type.Unknown(), { maxItems: PULL_ENTRIES_MAX }),
      cursors: Type.Array(Cursor, { maxItems: PULL_AUTHORS_MAX }),
      more: Type.Boolean(),
    }),
    maxBytes: 4 * 1024 * 1024,
  },
});

/**
 * 0x42. A light "new post" notice to social contacts. `post` is a SyncPost, present when small;
 * `behind` says that there were more posts than notices, so that the receiver pulls.
 */
export const postNotification = defineNotice({
  code: 0x42,
  name: 'PostNotification',
  about: 'Tells a social contact of a new post',
  body: Type.Object({
    post_id: PostIdSchema,
    author: NodeIdSchema,
    timestamp_ms: Timestamp,
    post: Type.Optional(Type.Unknown()),
    behind: Type.Optional(Type.Boolean()),
  }),
  maxBytes: 64 * 1024,
  deadlineMs: 20_000,
  // A thousand posts a second between two nodes must pass; checking them costs a tenth of a core.
  budget: { perSecond: 1_500, burst: 3_000, inFlight: 256 },
});

/** 0x51. A signed delete record, sent to every connected peer. */
export const deleteRecord = defineNotice({
  code: 0x51,
  name: 'DeleteRecord',
  about: 'Tells that an author deleted a post',
  body: deleteRecords.body,
  maxBytes: 2 * 1024,
  budget: { perSecond: 200, burst: 1_000, inFlight: 64 },
});

/** 0xD4. One post by id from a node known to hold it; `post` is a SyncPost, absent when not found. */
export const postFetch = defineRequest({
  code: 0xd4,
  name: 'PostFetchRequest',
  about: 'Asks for one post by its id',
  body: Type.Object({ post_id: PostIdSchema }),
  maxBytes: 256,
  budget: { perSecond: 200, burst: 500, inFlight: 32 },
  response: {
    code: 0xd5,
    name: 'PostFetchResponse',
    body: Type.Object({ found: Type.Boolean(), post: Type.Optional(Type.Unknown()) }),
    maxBytes: 512 * 1024,
  },
});

/** Our part of the handshake: the newest delete records (DEL-03). */
export interface DeletesPart {
  readonly deletes: readonly DeleteRecord[];
}
export const DELETES_PART = 'deletes';
