import { join } from 'node:path';
import test from 'ava';
import { seededRandom, VirtualClock } from '../../kernel/clock/index.ts';
import type { NodeId, Random } from '../../kernel/index.ts';
import { openStore } from '../../kernel/store/index.ts';
import { OwnShare } from '../../plugins/routing/own-share.ts';
import { presenceTables } from '../../plugins/presence/migrations/0001-presence.ts';
import { NamedContacts } from '../../plugins/presence/named-contacts.ts';
import { nodeIds } from '../routing/ids.ts';
import { recordingLog } from '../rig/recording-log.ts';
import { temporaryDirectory } from '../rig/temporary.ts';
import { areaUnderCurve } from './guess.ts';
import type { Guess } from './guess.ts';
import { entriesOf } from './observer.ts';
import type { Heard } from './observer.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const STEP_MS = 10 * 60_000;
const DAYS = 30;
const SLOTS = 101;
const CONTACTS = 60;
/** Nodes one swaps files with, once there are files. */
const FILE_PEERS = 100;

/** A neighbour stays for hours, some for days: a long tail, of which half is under six hours. */
const stayMs = (random: Random): number => 6 * HOUR_MS * Math.exp(1.5 * normal(random));

function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random.float())) * Math.cos(2 * Math.PI * random.float());
}

/**
 * What a peer that never leaves hears of the N1 of one node in a month: by social's rule for contacts and
 * mesh's own diffs, over neighbours and file peers that come and go. No frames, and nothing else of a node.
 */
async function month(directory: string, seed: string, filePeerDays: number): Promise<Guess[]> {
  const random = seededRandom(seed);
  const clock = new VirtualClock();
  const path = join(directory, `${seed}-${filePeerDays}.db`);
  const store = openStore({ path, log: recordingLog(), clock, durable: false });
  store.migrate('presence', [presenceTables], ['expand']);
  const db = store.database('presence');
  const named = new NamedContacts(db);
  const share = new OwnShare(clock);
  const contacts = nodeIds(`${seed}/contacts`, CONTACTS);
  const pool = nodeIds(`${seed}/pool`, 20_000);
  let next = 0;
  const fresh = (): NodeId => pool[next++ % pool.length] as NodeId;
  const neighbours = new Map<NodeId, number>();
  const filePeers = new Map<NodeId, number>();
  const seenMs = new Map(contacts.map((id) => [id, -random.float() * 2 * DAY_MS] as const));
  const heard: Heard[] = [];
  for (let atMs = 0; atMs < DAYS * DAY_MS; atMs += STEP_MS) {
    await clock.advance(STEP_MS);
    for (const [id, untilMs] of neighbours) if (untilMs <= atMs) neighbours.delete(id);
    while (neighbours.size < SLOTS) neighbours.set(fresh(), atMs + stayMs(random));
    for (const [id, untilMs] of filePeers) if (untilMs <= atMs) filePeers.delete(id);
    while (filePeerDays > 0 && filePeers.size < FILE_PEERS) {
      filePeers.set(fresh(), atMs - filePeerDays * DAY_MS * Math.log(1 - random.float()));
    }
    // Each is here for some hours a day.
    for (const id of contacts) if (random.float() < 0.15) seenMs.set(id, atMs);
    const recent = contacts.filter((id) => (seenMs.get(id) ?? 0) > atMs - 7 * DAY_MS);
    recent.sort((a, b) => (seenMs.get(b) ?? 0) - (seenMs.get(a) ?? 0));
    named.tick(neighbours.size, atMs);
    const n1 = [...neighbours.keys(), ...named.of(recent, new Set(neighbours.keys())), ...filePeers.keys()];
    const { added, removed } = share.publish(n1, []).n1;
    if (added.length + removed.length > 0) heard.push({ atMs, whole: false, added, removed });
  }
  store.close();
  const isContact = new Set(contacts);
  const endMs = DAYS * DAY_MS;
  // Who comes to judge looks at the list of the last day.
  return entriesOf(heard, endMs)
    .filter(({ nodeId }) => neighbours.has(nodeId) || filePeers.has(nodeId) || isContact.has(nodeId))
    .map(({ nodeId, presentMs }) => ({ score: presentMs, isContact: isContact.has(nodeId) }));
}

test('a month of shares tells contacts by their staying; file peers cover them only if they stay as long (PRIV-02 is open)', async (t) => {
  const directory = temporaryDirectory(t);
  const areas: number[] = [];
  for (const days of [0, 10, 60, 365]) {
    const months: Guess[][] = [];
    for (const seed of ['a', 'b', 'c']) months.push(await month(directory, seed, days));
    areas.push(areaUnderCurve(months));
    t.log(`file peers for ${days} days each: contacts told from others by presence ${areas.at(-1)?.toFixed(3)}`);
  }
  t.true((areas[0] as number) > 0.9, 'the weakness that is known');
  t.deepEqual(
    [...areas].sort((a, b) => b - a),
    areas,
  );
  t.true((areas.at(-1) as number) < 0.9, 'cover that lasts is of use');
});
