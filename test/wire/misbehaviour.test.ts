import test from 'ava';
import { FORGED_POINTS, MISBEHAVIOUR_MAX_POINTS } from '../../kernel/wire/limits.ts';
import { defineErrors } from '../../kernel/index.ts';
import { rawFrame } from './pair.ts';
import { ask, note, settle, wireRig } from './rig.ts';

const GARBAGE = rawFrame(0xd4, 'garbage');

async function garbage(rig: ReturnType<typeof wireRig>, frames: number): Promise<void> {
  for (let n = 0; n < frames && rig.near.closed === undefined; n++) {
    rig.near.openBi().write(GARBAGE, true);
    await settle();
  }
}

test('a hundred points are borne, one more closes the connection, and says so once', async (t) => {
  const rig = wireRig();
  rig.serve('p', [ask, (body) => body]);
  await garbage(rig, MISBEHAVIOUR_MAX_POINTS);
  t.is(rig.near.closed, undefined);
  await garbage(rig, 1);
  t.like(rig.near.closed, { reason: 'misbehaviour', byPeer: true });
  t.is(rig.server.counters.read()['closed-for-misbehaviour'], 1);
  t.deepEqual(rig.server.log.events(), ['peer-misbehaves']);
});

test('a point is forgiven each second', async (t) => {
  const rig = wireRig();
  rig.serve('p', [ask, (body) => body]);
  await garbage(rig, MISBEHAVIOUR_MAX_POINTS);
  await rig.clock.advance(10_000);
  await garbage(rig, 10);
  t.is(rig.near.closed, undefined);
  await garbage(rig, 1);
  t.like(rig.near.closed, { reason: 'misbehaviour' });
});

test('what a handler calls forged costs ten points, what it merely refuses none', async (t) => {
  const errors = defineErrors('test', {
    forged: { message: 'forged', blamesPeer: true },
    refused: { message: 'refused' },
  });
  const rig = wireRig();
  let name: 'forged' | 'refused' = 'refused';
  rig.serve('p', [
    note,
    () => {
      throw errors.make(name);
    },
  ]);
  const send = async (times: number): Promise<void> => {
    for (let n = 0; n < times && rig.near.closed === undefined; n++) {
      rig.near.openUni().write(rawFrame(0x42, '{"n":1}'), true);
      await settle();
    }
  };
  await send(3 * MISBEHAVIOUR_MAX_POINTS);
  t.is(rig.near.closed, undefined);
  name = 'forged';
  await send(MISBEHAVIOUR_MAX_POINTS / FORGED_POINTS);
  t.is(rig.near.closed, undefined);
  await send(1);
  t.like(rig.near.closed, { reason: 'misbehaviour' });
  t.is(rig.server.counters.read()['forged:PostNotification'], MISBEHAVIOUR_MAX_POINTS / FORGED_POINTS + 1);
});

test('points are those of a peer, not of a connection, and no other peer pays for them', async (t) => {
  const rig = wireRig();
  rig.serve('p', [ask, (body) => body]);
  const [second] = rig.connect('c');
  const [stranger] = rig.connect('d');
  await garbage(rig, MISBEHAVIOUR_MAX_POINTS + 1);
  second.openBi().write(GARBAGE, true);
  stranger.openBi().write(GARBAGE, true);
  await settle();
  t.like(second.closed, { reason: 'misbehaviour' });
  t.is(stranger.closed, undefined);
  const [again] = rig.connect('c');
  t.like(again.closed, { reason: 'misbehaviour' }, 'who comes straight back is not served either');
});
