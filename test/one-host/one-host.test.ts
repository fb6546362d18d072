import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { type Newcomer, newcomer } from '../mesh-e2e/newcomer.ts';
import { laboratory } from './laboratory.ts';

const CROWD = fileURLToPath(new URL('crowd.js', import.meta.url));
const NAMES = 2_000;
const HONEST = 10;
/** Half of what a block may have, so that those who come later find room. */
const FEW = 16;
const WARM_UP_MS = 5_000;
const POSTS = 200;
const SPELL_MS = 3_000;
/** The crowd has tried all its names by then. */
const CROWD_MS = 20_000;
/** A silent connection is kept for 30 s; what it left behind is given back when the node has been idle for ten. */
const SETTLE_MS = 90_000;

interface Case {
  readonly node: string;
  readonly guest: string;
  readonly friend: string;
  honest(n: number): string;
  readonly hosts: readonly string[];
}

const CASES: Readonly<Record<string, Case>> = {
  'one address': {
    ...{ node: '192.0.2.1', guest: '198.51.100.1', friend: '198.51.100.2', hosts: ['192.0.2.66'] },
    honest: (n) => `203.0.113.${n + 1}`,
  },
  'the addresses of one /64': {
    ...{ node: '2001:db8:1::1', guest: '2001:db8:2::1', friend: '2001:db8:3::1' },
    honest: (n) => `2001:db8:${100 + n}::1`,
    hosts: Array.from({ length: 64 }, (_, n) => `2001:db8:66::${n + 1}`),
  },
};

for (const [from, { node: own, guest: guestAt, friend: friendAt, honest: honestAt, hosts }] of Object.entries(CASES)) {
  test.serial(
    `${NAMES} identities at ${from} took the node from ten honest peers, a newcomer and a friend`,
    async (t) => {
      t.timeout(300_000);
      const honestHosts = Array.from({ length: HONEST }, (_, n) => honestAt(n));
      const within = laboratory(t, [own, guestAt, friendAt, ...honestHosts, ...hosts]);
      const start = (host: string) => newcomer(t, [], { host, within });
      const node = await start(own);
      const honest = await Promise.all(honestHosts.map(start));
      const [guest, friend] = [await start(guestAt), await start(friendAt)];
      for (const peer of honest) await peer.call('peer.connect', { target: node.connectString });
      t.is((await held(node)).honest(honest), honest.length);
      const quiet = await postAll(node);
      // What a node has once it has met strangers at all; from here on it must not depend on how many there were.
      const few = await startCrowd(t, within, node, FEW, hosts);
      await pause(WARM_UP_MS);
      await few.end();
      await pause(WARM_UP_MS);
      const rssBefore = rssMb(node);

      const crowd = await startCrowd(t, within, node, NAMES, hosts);
      await pause(CROWD_MS / 2);
      const inMs = await timed(() => guest.call('peer.connect', { target: node.connectString }));
      const outMs = await timed(() => node.call('peer.connect', { target: friend.connectString }));
      const p99 = await postAll(node);
      await pause(CROWD_MS / 2);
      const during = await held(node);
      const peak = rssMb(node);
      const figures = await crowd.end();
      const rssAfter = await settledRss(node, 1.1 * rssBefore);

      t.log(`${from}: ${JSON.stringify(figures)}`);
      t.log(
        `newcomer ${ms(inMs)}, friend ${ms(outMs)}, post create p99 ${ms(p99)} (${ms(quiet)} before), slots ${during.held}`,
      );
      t.log(
        `RSS ${rssBefore.toFixed(0)} MB before, ${peak.toFixed(0)} with the crowd, ${rssAfter.toFixed(0)} after it`,
      );
      t.true(figures.tried >= NAMES, 'each name had its turn');
      t.true(inMs <= 1_000, 'a newcomer');
      t.true(outMs <= 1_000, 'the dial of a friend');
      t.true(during.honest(honest) >= 0.9 * honest.length, 'honest peers keep their slots');
      t.true(p99 <= 20, 'posts');
      t.true(rssAfter <= 1.1 * rssBefore, 'memory');
    },
  );
}

const ms = (value: number): string => `${value.toFixed(0)} ms`;

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedMs = performance.now();
  await work();
  return performance.now() - startedMs;
}

async function settledRss(node: Newcomer, enough: number): Promise<number> {
  const untilMs = performance.now() + SETTLE_MS;
  while (rssMb(node) > enough && performance.now() < untilMs) await pause(1_000);
  return rssMb(node);
}

/**
 * The 99th percentile of writing posts one after the other, in the best of three spells: what the crowd costs is in
 * all of them, what else this machine does at a moment is not.
 */
async function postAll(node: Newcomer): Promise<number> {
  const times = [await postMany(node)];
  for (let more = 0; more < 2; more++) {
    await pause(SPELL_MS);
    times.push(await postMany(node));
  }
  return Math.min(...times);
}

async function postMany(node: Newcomer): Promise<number> {
  const posts: number[] = [];
  for (let n = 0; n < POSTS; n++) posts.push(await timed(() => node.call('post.create', { text: `post ${n}` })));
  return posts.sort((a, b) => a - b)[Math.floor(posts.length * 0.99)] ?? Number.NaN;
}

async function held(node: Newcomer) {
  const { held, connections } = await node.call<{ held: number; connections: Record<string, string[]> }>('mesh.slots');
  return {
    held,
    honest: (peers: readonly Newcomer[]) => peers.filter(({ nodeId }) => connections.mesh?.includes(nodeId)).length,
  };
}

function rssMb({ pid }: Newcomer): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1_024;
}

async function startCrowd(
  t: ExecutionContext,
  within: readonly string[],
  node: Newcomer,
  names: number,
  hosts: readonly string[],
) {
  const address = node.connectString.split('@')[1]?.split(',')[0] as string;
  // Its machine is another: it gets what of this one the node and its peers leave.
  const [program, ...words] = [
    ...within,
    'nice',
    '-n',
    '15',
    process.execPath,
    CROWD,
    node.nodeId,
    address,
    `${names}`,
    ...hosts,
  ];
  const child: ChildProcess = spawn(program as string, words, { stdio: ['pipe', 'pipe', 'inherit'] });
  t.teardown(() => child.kill('SIGKILL'));
  let text = '';
  child.stdout?.on('data', (chunk) => {
    text += chunk;
  });
  return {
    async end(): Promise<Record<'tried' | 'connected' | 'refused' | 'slots' | 'peers', number>> {
      const gone = once(child, 'close');
      child.stdin?.end();
      await gone;
      return JSON.parse(text);
    },
  };
}
