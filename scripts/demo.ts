// Three nodes on this machine's loopback follow each other, post, and show what each one's feed has:
// what `itsgoin` does between machines, without touching anything of this one. Ends with 0 when every
// feed has all three posts.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ControlClient } from '../kernel/control/client.ts';
import { connectControl } from '../kernel/control/socket-client.ts';
import { codeOf } from '../kernel/sdk/errors.ts';

const LIMIT_MS = 14_000;
const POLL_MS = 50;
const BIN = join(process.cwd(), 'bin', 'itsgoin.js');

interface Actor {
  readonly name: string;
  readonly post: string;
  readonly dataDir: string;
  readonly process: ChildProcess;
  client: ControlClient;
  nodeId: string;
  connect: string;
}

interface FeedPost {
  readonly author: string;
  readonly text: string;
}

const POSTS: readonly [name: string, post: string][] = [
  ['Ada', 'It goes well: no server in sight.'],
  ['Ben', 'Three nodes, three posts, one loopback.'],
  ['Cleo', 'Whoever follows me has this on disk now.'],
];

const limit = AbortSignal.timeout(LIMIT_MS);
const root = mkdtempSync(join(tmpdir(), 'itsgoin-demo-'));
const actors: Actor[] = [];
process.on('exit', () => {
  for (const actor of actors) actor.process.kill('SIGKILL');
  rmSync(root, { recursive: true, force: true });
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130));

try {
  const startedMs = performance.now();
  await play();
  console.log(`\nAll feeds are complete after ${((performance.now() - startedMs) / 1_000).toFixed(1)} s.`);
} catch (error) {
  console.error(
    `The demo failed: ${limit.aborted ? `not done after ${LIMIT_MS / 1_000} s` : (error as Error).message}`,
  );
  process.exitCode = 1;
} finally {
  await Promise.all(actors.map(end));
}

async function play(): Promise<void> {
  for (const [name, post] of POSTS) actors.push(start(name, post));
  await Promise.all(actors.map(meet));
  for (const { name, nodeId } of actors) console.log(`${name.padEnd(5)} runs as ${nodeId}`);
  const [ada, ben, cleo] = actors as [Actor, Actor, Actor];
  for (const [from, to] of [
    [ada, ben],
    [ben, cleo],
    [cleo, ada],
  ] as const) {
    await from.client.call('peer.connect', { target: to.connect }, { signal: limit });
  }
  for (const actor of actors) {
    await actor.client.call('profile.set', { name: actor.name }, { signal: limit });
    for (const other of actors) {
      if (other !== actor) await actor.client.call('follow.add', { target: other.nodeId }, { signal: limit });
    }
  }
  for (const { name, client, post } of actors) {
    await client.call('post.create', { text: post }, { signal: limit });
    console.log(`${name.padEnd(5)} posts “${post}”`);
  }
  for (const { name, client } of actors) {
    console.log(`\n${name}'s feed`);
    for (const { author, text } of await completeFeed(client)) {
      console.log(`  ${actors.find(({ nodeId }) => nodeId === author)?.name.padEnd(5)} ${text}`);
    }
  }
}

function start(name: string, post: string): Actor {
  const dataDir = join(root, name.toLowerCase());
  const args = [BIN, '--daemon', '--data', dataDir, '--bind', '127.0.0.1:0'];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  return { name, post, dataDir, process: child, client: undefined as never, nodeId: '', connect: '' };
}

/** Connects to a node as soon as it listens. */
async function meet(actor: Actor): Promise<void> {
  actor.client = await until(async () => {
    if (actor.process.exitCode !== null) throw new Error(`${actor.name}'s node ended with ${actor.process.exitCode}`);
    return connectControl(actor.dataDir, { signal: limit }).catch((error: unknown) => {
      if (codeOf(error) === 'control/not-running') return undefined;
      throw error;
    });
  });
  const shown = await actor.client.call<{ node_id: string; connect: string[] }>('identity.show', {}, { signal: limit });
  actor.nodeId = shown.node_id;
  actor.connect = shown.connect[0] ?? '';
}

function completeFeed(client: ControlClient): Promise<readonly FeedPost[]> {
  return until(async () => {
    const { posts } = await client.call<{ posts: FeedPost[] }>('feed.list', {}, { signal: limit });
    return posts.length >= POSTS.length ? posts : undefined;
  });
}

async function until<T>(look: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    limit.throwIfAborted();
    const found = await look();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

async function end({ client, process: child }: Actor): Promise<void> {
  const gone = new Promise((resolve) => child.once('exit', resolve));
  if (child.exitCode !== null) return;
  await client?.call('shutdown').catch(() => child.kill('SIGTERM'));
  await gone;
}
