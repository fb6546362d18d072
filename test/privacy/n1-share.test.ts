import test from 'ava';
import type { ExecutionContext } from 'ava';
import { seededRandom } from '../../kernel/clock/index.ts';
import type { NodeId, Random } from '../../kernel/index.ts';
import type { TestNetwork, TestNode } from '../../kernel/testing/index.ts';
import { areaUnderCurve, chanceOf } from './guess.ts';
import type { Guess } from './guess.ts';
import { entriesOf, heardIn, listsIn } from './observer.ts';
import type { Entry, Heard } from './observer.ts';
import { tapWire } from './wire-tap.ts';
import { meshNet } from '../mesh/mesh-net.ts';

const MINUTE_MS = 60_000;
const SUBJECTS = 6;
const CONTACTS = 9;
const NEIGHBOURS = 10;

/** A node that connects to nobody by itself. */
async function node(net: TestNetwork, name: string): Promise<TestNode> {
  return net.add({ name, config: { mesh: { growth: false } } });
}

/**
 * Who has neighbours and follows people starts anew, and its neighbours come back one by one. One of them
 * hears all of it. Gives what it can know of each entry but itself.
 */
async function watch(net: TestNetwork, at: number, random: Random): Promise<{ entry: Entry; isContact: boolean }[]> {
  const contacts: TestNode[] = [];
  const neighbours: TestNode[] = [];
  const first = await node(net, `subject${at}`);
  for (let i = 0; i < CONTACTS; i++) {
    const contact = await node(net, `contact${at}/${i}`);
    await first.run('follow.add', { target: contact.connectString });
    contacts.push(contact);
  }
  for (let i = 0; i < NEIGHBOURS; i++) neighbours.push(await node(net, `neighbour${at}/${i}`));
  for (const neighbour of neighbours) await neighbour.run('peer.connect', { target: first.connectString });
  await net.advance(MINUTE_MS);
  // As large a part of both is away when the subject comes back.
  for (const contact of contacts.slice(2)) await contact.stop();
  await net.advance(2 * MINUTE_MS);
  const [spy, one, another, ...others] = neighbours as [TestNode, TestNode, TestNode, ...TestNode[]];
  for (const other of others) await other.stop();
  await first.stop();

  const heard: Heard[] = [];
  const untap = tapWire((frame) => {
    if (frame.from !== first.id || frame.to !== spy.id) return;
    const lists = listsIn(frame);
    if (lists !== undefined) heard.push(heardIn(lists, net.clock.now()));
  });
  const subject = await net.restart(first);
  const back: TestNode[] = [one, another];
  for (const other of others) {
    await net.advance(random.integer(40_000));
    back.push(await net.restart(other));
  }
  await net.advance(20 * MINUTE_MS);
  untap();
  const isContact = new Set<NodeId>(contacts.map(({ id }) => id));
  const found = entriesOf(heard, net.clock.now())
    .filter(({ nodeId }) => nodeId !== spy.id)
    .map((entry) => ({ entry, isContact: isContact.has(entry.nodeId) }));
  await subject.stop();
  for (const other of [spy, ...back, ...contacts.slice(0, 2)]) await other.stop();
  return found;
}

/** What a curious peer may go by. None of them may be of use to it. */
const CLUES: Readonly<Record<string, (entry: Entry) => number>> = {
  'its place in the list': ({ place }) => place,
  'the order of the ids': ({ nodeId }) => Number.parseInt(nodeId.slice(0, 12), 16),
  'the message that first named it': ({ message }) => -message,
  'when it was first named': ({ firstAtMs }) => -firstAtMs,
  'how many were named with it': ({ company }) => company,
  'whether that message was a regular one': ({ sinceLastMs }) => sinceLastMs,
  'how often it came': ({ comings }) => -comings,
};

const subjects = async (t: ExecutionContext) => {
  const random = seededRandom('privacy');
  const found: { entry: Entry; isContact: boolean }[][] = [];
  for (let at = 0; at < SUBJECTS; at++) found.push(await watch(meshNet(t, { seed: at }), at, random));
  return found;
};

test('PRIV-01: one share tells mesh peers from contacts no better than chance', async (t) => {
  const found = await subjects(t);
  const contacts = found.flat().filter(({ isContact }) => isContact).length;
  t.true(contacts >= SUBJECTS * (CONTACTS - 2), `${contacts} contacts were named at all`);
  const random = seededRandom('guess');
  for (const [clue, scoreOf] of Object.entries(CLUES)) {
    const lists = found.map((list) =>
      list.map(({ entry, isContact }): Guess => ({ score: scoreOf(entry), isContact })),
    );
    const area = areaUnderCurve(lists);
    const chance = chanceOf(lists, random);
    t.log(`${clue}: ${area.toFixed(3)}, by chance in ${(100 * chance).toFixed(0)} %`);
    t.true(chance > 0.01, `${clue} tells contacts from others: ${area.toFixed(3)}`);
  }
});

test('the judge of the classifier sees what is there to be seen, and nothing else', (t) => {
  const random = seededRandom('judge');
  const list = (scoreOf: (isContact: boolean) => number): Guess[] =>
    Array.from({ length: 20 }, (_, at) => ({ score: scoreOf(at % 2 === 0), isContact: at % 2 === 0 }));
  const seen = [list((isContact) => Number(isContact) + random.float())];
  t.true(areaUnderCurve(seen) > 0.8);
  t.true(chanceOf(seen, random) < 0.01);
  t.is(areaUnderCurve([list(() => 1)]), 0.5);
  t.true(chanceOf([list(() => random.float())], random) > 0.01);
});
