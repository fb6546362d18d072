import type { Database, NodeId, Random } from '../../kernel/index.ts';
import type { PostId } from '../../plugins/content/api.ts';
import type { SyncPost } from '../../plugins/content/post.ts';
import { PostStore } from '../../plugins/content/post-store.ts';

export const START_MS = 1_767_225_600_000;
export const SPAN_MS = 365 * 86_400_000;
/** As many authors as may be followed, and as many again who write a hundredth of all posts together. */
export const BUSY = 4_000;
export const QUIET = 1_000;
const QUIET_SHARE = 0.01;

/** Posts at random times by random authors, as if they had arrived in no order. They are signed by nobody. */
export async function fillStore(db: Database, count: number, random: Random) {
  const store = new PostStore(db);
  const authors = Array.from({ length: BUSY + QUIET }, () => hex(random) as NodeId);
  const ids: PostId[] = [];
  let textBytes = 0;
  while (ids.length < count) {
    const batch = Array.from({ length: Math.min(5_000, count - ids.length) }, () => {
      const quiet = random.float() < QUIET_SHARE;
      const author = quiet ? BUSY + random.integer(QUIET) : random.integer(BUSY);
      const post = madeUp(authors[author] as NodeId, random);
      ids.push(post.id);
      textBytes += JSON.stringify(post.post).length;
      return post;
    });
    db.transaction(() => store.insert(batch));
    await db.congestion;
  }
  return { authors, ids, textBytes };
}

function madeUp(author: NodeId, random: Random): SyncPost {
  const id = hex(random) as PostId;
  const content = 'It goes well, and how is it going with you? '.repeat(2 + random.integer(5));
  return {
    id,
    post: {
      attachments: [],
      author,
      content,
      kind: 'post',
      nplus10: [author],
      timestamp_ms: START_MS + random.integer(SPAN_MS),
    },
    signature: id + id,
    visibility: { kind: 'public' },
  };
}

function hex(random: Random): string {
  return Buffer.from(random.bytes(32)).toString('hex');
}
