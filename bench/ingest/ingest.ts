import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createHash, createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import Sqlite from 'better-sqlite3';
import { type Node, startNode } from '../../kernel/node.ts';

/** The follower's loop is asked for its state this often. */
const POLL_MS = 5;
/** A first sync of so many posts takes no longer, on any machine worth measuring. */
const limitMs = (posts: number): number => 60_000 + posts * 2;

export interface IngestFigures {
  readonly posts: number;
  /** From `follow add` to the last post in the feed, over QUIC between two processes. */
  readonly postsPerSecond: number;
  /** The same over the CPU time the follower's process took: what one core does. */
  readonly postsPerCpuSecond: number;
  readonly cpuMicrosPerPost: number;
  readonly loopMaxMs: number;
  readonly loopP99Ms: number;
  /** Resident memory of the follower before, at half of the posts, and after. */
  readonly rssMb: { readonly before: number; readonly half: number; readonly after: number };
  /** References of the same run, one core each. */
  readonly rawVerifyPerSecond: number;
  readonly rawInsertPerSecond: number;
  /** Of what a core could do with nothing but verification and the insert. */
  readonly shareOfRaw: number;
}

/** First sync of a follower with an author of `posts` posts: verify, store, feed. */
export async function measureIngest(posts = 10_000): Promise<IngestFigures> {
  const dir = mkdtempSync(join(tmpdir(), 'itsgoin-bench-ingest-'));
  const author = fork(fileURLToPath(new URL('./author.js', import.meta.url)), [join(dir, 'author'), String(posts)], {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  let follower: Node | undefined;
  try {
    const target = await firstLine(author);
    follower = await startNode({
      dataDir: join(dir, 'follower'),
      bind: '127.0.0.1:0',
      attended: false,
      logLevel: 'error',
    });
    const rawVerifyPerSecond = rawVerify();
    const rawInsertPerSecond = rawInsert(join(dir, 'raw.db'), posts);
    const run = await firstSync(follower, target, posts);
    const rawMicros = 1e6 / rawVerifyPerSecond + 1e6 / rawInsertPerSecond;
    return { posts, ...run, rawVerifyPerSecond, rawInsertPerSecond, shareOfRaw: rawMicros / run.cpuMicrosPerPost };
  } finally {
    await follower?.stop();
    if (author.connected) author.disconnect();
    await (author.exitCode === null ? once(author, 'exit') : undefined);
    rmSync(dir, { recursive: true, force: true });
  }
}

async function firstSync(node: Node, target: string, posts: number) {
  const stored = (): number => Number(node.host.diagnostics('content').posts);
  const rss = (): number => Math.round(process.memoryUsage.rss() / 1024 ** 2);
  const before = rss();
  let half = before;
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const cpu = process.cpuUsage();
  const start = performance.now();
  await node.host.run('follow.add', { target }, { signal: AbortSignal.timeout(limitMs(posts)), progress() {} });
  while (stored() < posts) {
    if (performance.now() - start > limitMs(posts)) throw new Error(`only ${stored()} posts in time`);
    if (stored() < posts / 2) half = rss();
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  const seconds = (performance.now() - start) / 1_000;
  const used = process.cpuUsage(cpu);
  delay.disable();
  const cpuMicrosPerPost = (used.user + used.system) / posts;
  return {
    postsPerSecond: posts / seconds,
    postsPerCpuSecond: 1e6 / cpuMicrosPerPost,
    cpuMicrosPerPost,
    loopMaxMs: delay.max / 1e6,
    loopP99Ms: delay.percentile(99) / 1e6,
    rssMb: { before, half, after: rss() },
  };
}

async function firstLine(child: ChildProcess): Promise<string> {
  let text = '';
  for await (const chunk of child.stdout ?? []) {
    text += String(chunk);
    if (text.includes('\n')) return text.slice(0, text.indexOf('\n'));
  }
  throw new Error('the author ended before it listened');
}

/** Ed25519 verifications of a post's length, one after the other. */
function rawVerify(): number {
  const { privateKey } = generateKeyPairSync('ed25519');
  const key = createPublicKey(privateKey);
  const message = createHash('sha256').update('post').digest();
  const signature = sign(null, message, privateKey);
  const start = performance.now();
  const count = 5_000;
  for (let i = 0; i < count; i++) verify(null, message, key, signature);
  return (count * 1_000) / (performance.now() - start);
}

/** Rows of a post's size into a bare table with the same two unique keys, 256 in a transaction. */
function rawInsert(path: string, count: number): number {
  const db = new Sqlite(path);
  db.pragma('journal_mode = WAL');
  db.pragma('synchronous = FULL');
  db.exec('CREATE TABLE posts (seq INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, body TEXT NOT NULL)');
  const insert = db.prepare('INSERT INTO posts (id, body) VALUES (?, ?)');
  const ids = Array.from({ length: count }, (_, i) => createHash('sha256').update(String(i)).digest());
  const body = 'x'.repeat(320);
  const start = performance.now();
  for (let at = 0; at < count; at += 256) {
    db.transaction(() => {
      for (const id of ids.slice(at, at + 256)) insert.run(id, body);
    })();
  }
  const rate = (count * 1_000) / (performance.now() - start);
  db.close();
  return rate;
}
