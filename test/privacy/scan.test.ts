import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import type { NodeId } from '../../kernel/index.ts';
import type { TestNetwork, TestNode } from '../../kernel/testing/index.ts';
import { anchorNet, anchorNode } from '../anchors/anchor-net.ts';
import { nodeIds } from '../routing/ids.ts';
import { heardIn, listsIn } from './observer.ts';
import { tapWire } from './wire-tap.ts';
import type { TappedFrame } from './wire-tap.ts';

const EVERYTHING = { builtin: 'all' } as const;
const MINUTE_MS = 60_000;
const NAT = '5.0.0.99';
/** Questions about an id name it: where it is (0x03), who knows it (0x60), what it wrote (0x40, to followees alone). */
const QUESTIONS = { addressRequest: 0x03, addressResponse: 0x04, pullSync: 0x40, wormQuery: 0x60, wormResponse: 0x61 };

/**
 * Six nodes in a row, and two in a house behind the second one: they follow, write, search, ask the
 * anchor for peers, come and go. Gives every frame of it.
 */
async function life(t: ExecutionContext) {
  const net = anchorNet(t);
  const frames: TappedFrame[] = [];
  t.teardown(tapWire((frame) => frames.push(frame)));
  net.memory.route = (from, to) => {
    const isOutside = from.host.startsWith('10.') !== to.host.startsWith('10.');
    if (!isOutside) return { to, seenAs: from };
    return to.host.startsWith('10.') ? undefined : { to, seenAs: { ...from, host: NAT } };
  };
  const config = { mesh: { growth: false } };
  const person = (name: string, more: object = {}) => anchorNode(net, name, { config, ...EVERYTHING, ...more });
  const row: TestNode[] = [await person('row0', { config: { ...config, anchors: { declare: true } } })];
  for (let at = 1; at < 6; at++) row.push(await person(`row${at}`));
  const [anchor] = row as [TestNode];
  const house = [
    await person('house0', { host: '10.0.0.5', anchors: [anchor.connectString] }),
    await person('house1', { host: '10.0.0.6', anchors: [anchor.connectString] }),
  ] as [TestNode, TestNode];
  for (const [at, node] of row.entries()) {
    const next = row[at + 1];
    if (next !== undefined) await node.run('follow.add', { target: next.connectString });
  }
  await house[0].run('follow.add', { target: house[1].connectString });
  await house[0].run('follow.add', { target: (row[1] as TestNode).connectString });
  await net.advance(2 * MINUTE_MS);
  return { net, frames, row, house, all: [...row, ...house] };
}

/** Everything people do, once each. */
async function everything(
  net: TestNetwork,
  nodes: readonly TestNode[],
  absent: ReadonlyMap<NodeId, readonly NodeId[]>,
) {
  for (const node of nodes) {
    await node.run('profile.set', { name: node.name, anchors: [(nodes[0] as TestNode).connectString] });
    await node.run('post.create', { text: `${node.name} is here` });
    for (const nodeId of absent.get(node.id) ?? []) await node.run('follow.add', { target: nodeId });
    await node.run('anchor.request').catch(() => undefined);
    await node.run('search', { id: 'cd'.repeat(32) }).catch(() => undefined);
  }
  await net.advance(30 * MINUTE_MS);
  for (const node of nodes) await node.run('rebalance.now');
  await net.advance(5 * MINUTE_MS);
}

const idsIn = (text: string): Set<string> => new Set(text.match(/[0-9a-f]{64}/g) ?? []);

test.serial(
  'PRIV-03: no frame carries a follow, a follower, a private key, or an address that is no business of its receiver',
  async (t) => {
    const { net, frames, row, house, all } = await life(t);
    const invented = nodeIds('absent', 2 * all.length);
    const absent = new Map(all.map(({ id }, at) => [id, invented.slice(2 * at, 2 * at + 2)] as const));
    const keys = all.flatMap(({ dataDir }) =>
      ['identity.key', 'device.key'].map((file) => readFileSync(join(dataDir, file))),
    );
    // Follows the first of the row, and is never heard of again.
    const fan = await anchorNode(net, 'fan', { config: { mesh: { growth: false } }, ...EVERYTHING });
    const [first, second] = row as [TestNode, TestNode];
    await fan.run('follow.add', { target: first.connectString });
    await net.advance(1_000);
    await fan.stop();
    const before = frames.length;
    await everything(net, all, absent);

    const houseIds = new Set<string>(house.map(({ id }) => id));
    const secrets = keys.flatMap((key) => [key.toString('hex'), ...[0, 1, 2].map((skip) => base64Within(key, skip))]);
    for (const { from, to, code, text, bytes } of frames) {
      for (const key of keys) if (bytes.includes(key)) t.fail(`a private key in a frame 0x${code.toString(16)}`);
      for (const secret of secrets)
        if (text.includes(secret)) t.fail(`a private key in a frame 0x${code.toString(16)}`);
      if (!houseIds.has(to))
        t.notRegex(text, /\b10\.0\.0\.\d/, `0x${code.toString(16)} tells the outside of the house`);
      for (const nodeId of absent.get(from) ?? []) {
        if (!text.includes(nodeId)) continue;
        t.true([QUESTIONS.wormQuery, QUESTIONS.pullSync].includes(code), `0x${code.toString(16)} names a follow`);
        if (code !== QUESTIONS.pullSync) continue;
        const followees = (await nodeNamed(all, from).run<{ follows: { node_id: string }[] }>('follow.list')).follows;
        t.true(
          followees.some(({ node_id }) => node_id === to),
          'what one reads is asked of people one follows alone',
        );
      }
    }
    // Who follows somebody is in lists, where it might be anybody, and in questions about a lost mesh peer.
    const questions = Object.values(QUESTIONS);
    const naming = frames
      .slice(before)
      .filter(({ from, code, text }) => from === first.id && !questions.includes(code) && text.includes(fan.id));
    for (const frame of naming) {
      const lists = listsIn(frame);
      const named = lists === undefined ? [] : heardIn(lists, 0).added;
      t.true(
        named.includes(fan.id),
        `0x${frame.code.toString(16)} to ${frame.to === second.id ? 'the second' : 'another'}`,
      );
    }
    t.true(frames.length > 1_000, `${frames.length} frames`);
  },
);

test.serial('KNOW-03, KNOW-05: what is only within three hops is in no list, and no list has an address', async (t) => {
  const { net, frames, row } = await life(t);
  const before = frames.length;
  await everything(net, row.slice(0, 1), new Map());
  const reach = async (from: TestNode, node_id: string) =>
    (await from.run<{ layer: string }>('peer.reach', { node_id })).layer;
  let checked = 0;
  for (const one of row) {
    const far: string[] = [];
    for (const { id } of row) if (id !== one.id && (await reach(one, id)) === 'n3') far.push(id);
    checked += far.length;
    for (const frame of frames.slice(before)) {
      if (frame.from !== one.id) continue;
      const lists = listsIn(frame);
      if (lists !== undefined) {
        t.notRegex(JSON.stringify(lists), /\d+\.\d+\.\d+\.\d+|\[[0-9a-f]*:[0-9a-f:]*\]/, 'an address in a list');
        const packed = JSON.stringify(lists);
        for (const id of far) t.false(packed.includes(id) || packed.includes(packedFirst(id)), 'an id of N3 in a list');
      }
      const isQuestion = Object.values(QUESTIONS).includes(frame.code);
      for (const id of far) t.false(!isQuestion && idsIn(frame.text).has(id), `0x${frame.code.toString(16)} names N3`);
    }
  }
  t.true(checked >= 4, `${checked} ids were only within three hops`);
});

function nodeNamed(nodes: readonly TestNode[], id: NodeId): TestNode {
  return nodes.find((node) => node.id === id) as TestNode;
}

/** How a key looks within a longer base64 text, after so many bytes of something else. */
function base64Within(key: Buffer, skip: number): string {
  const text = Buffer.concat([Buffer.alloc(skip), key])
    .toString('base64')
    .replace(/=+$/, '');
  return text.slice(skip === 0 ? 0 : 4, -4);
}

/** The first characters of an id at the head of a packed list; N2 lists carry 16 bytes of each. */
function packedFirst(id: string): string {
  return Buffer.from(id.slice(0, 30), 'hex').toString('base64');
}
