import test from 'ava';
import { seededRandom, VirtualClock } from '../../kernel/clock/index.ts';
import type { ConnectionInfo, NodeId } from '../../kernel/index.ts';
import { createCounters } from '../../kernel/observe/index.ts';
import type { AnchorsContext } from '../../plugins/anchors/context.ts';
import { Bootstrap } from '../../plugins/anchors/bootstrap.ts';
import { PeerDirectory } from '../../plugins/anchors/peer-directory.ts';
import { nodeIds } from '../routing/ids.ts';

const [SELF, ANCHOR] = nodeIds('rejoin', 2) as [NodeId, NodeId];
const TOLD = '5.1.1.1:4433';

/** One run with an anchor that somebody told of; `connections` are there when it has been reached. */
async function stored(connections: readonly Pick<ConnectionInfo, 'direction' | 'remoteAddr'>[]) {
  let isReached = false;
  const peers = {
    connect: async () => {
      isReached = true;
    },
  };
  const mesh = {
    nplus10: () => [],
    requestGrowth: () => {},
  };
  const ctx = {
    self: { nodeId: SELF },
    clock: new VirtualClock(),
    counters: createCounters().of('anchors'),
    random: seededRandom('rejoin'),
    signal: new AbortController().signal,
    deps: {
      introduction: { available: false },
      peers: { available: true, use: async (ask: (service: typeof peers) => unknown) => ask(peers) },
      mesh: { available: true, use: async (ask: (service: typeof mesh) => unknown) => ask(mesh) },
    },
    on: () => {},
    emit: () => {},
    send: async () => ({ referrals: [] }),
  };
  const network = {
    countOf: () => 0,
    connectionsOf: () => (isReached ? connections : []),
    localAddresses: () => [],
    mayDial: () => true,
  };
  const anchors = { ctx, network } as never as AnchorsContext;
  const seen: string[][] = [];
  const nobody = { own: async () => [], ofFollowees: async () => [] };
  const rejoin = new Bootstrap(anchors, {
    directory: new PeerDirectory(anchors),
    known: { all: () => [], staleSince: () => [], seen: (_id: NodeId, at: string[]) => void seen.push([...at]) },
    declaration: { isDeclared: () => true },
    matches: {},
    bootstrap: () => [],
    profileAnchors: nobody,
    hints: () => [{ nodeId: ANCHOR, addresses: [TOLD], told: { by: 'f'.repeat(64) as NodeId, seenAt: '' } }],
  } as never);
  await rejoin.run('recovery');
  return seen.flat();
}

test('a told anchor is known where we dialled it', async (t) => {
  t.deepEqual(await stored([{ direction: 'outbound', remoteAddr: TOLD }]), [TOLD]);
});

test('a told anchor that came to us, or has gone, is not known where it was seen', async (t) => {
  t.deepEqual(await stored([{ direction: 'inbound', remoteAddr: '5.1.1.1:61234' }]), []);
  t.deepEqual(await stored([]), []);
  const both = [
    { direction: 'outbound', remoteAddr: TOLD },
    { direction: 'inbound', remoteAddr: '5.1.1.1:61234' },
  ] as const;
  t.deepEqual(await stored(both), [TOLD]);
});
