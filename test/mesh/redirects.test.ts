import test from 'ava';
import { seededRandom, VirtualClock } from '../../kernel/clock/index.ts';
import type { NodeId } from '../../kernel/index.ts';
import { createCounters } from '../../kernel/observe/index.ts';
import type { MeshContext } from '../../plugins/mesh/context.ts';
import type { MeshSession } from '../../plugins/mesh/sessions.ts';
import type { PeerInfo } from '../../plugins/peers/api.ts';
import { refuseRedirect } from '../../plugins/mesh/messages.ts';
import { Redirects } from '../../plugins/mesh/slots/redirects.ts';
import { nodeIds } from '../routing/ids.ts';

const PEERS = nodeIds('peers', 4);

/** A full node with live peers; `refused` gives whom a node seen at an address is sent to. */
function full() {
  const seenAt = new Map<number, string>();
  const sent: (string | undefined)[] = [];
  const ctx = {
    clock: new VirtualClock(),
    counters: createCounters().of('mesh'),
    random: seededRandom('redirects'),
    signal: new AbortController().signal,
    background: () => {},
    send: async (_to: unknown, _message: unknown, body: { alternative?: string }) => void sent.push(body.alternative),
  };
  const network = {
    connection: (id: number) => ({ remoteAddr: seenAt.get(id) }),
    mayDial: () => true,
  };
  const mesh = { ctx, network } as never as MeshContext;
  const peers = PEERS.map((nodeId, at) => ({ peer: { nodeId }, kind: 'mesh', readyAtMs: at }) as PeerInfo);
  const neighbours = { peers: () => peers, addresses: () => [] } as never;
  const redirects = new Redirects(mesh, { neighbours, suggested: () => {} });
  const refused = (nodeId: NodeId, address: string, isInNeed: boolean) => {
    const connectionId = seenAt.size;
    seenAt.set(connectionId, address);
    redirects.send({ nodeId, connectionId } as MeshSession, [refuseRedirect.name], isInNeed);
    return sent.at(-1);
  };
  return { refused };
}

test('who says that it is in need gets half of the redirects, and the newest peers get the others', (t) => {
  const { refused } = full();
  const [asker, ...needy] = nodeIds('needy', 33) as [NodeId, ...NodeId[]];
  needy.forEach((nodeId, at) => {
    refused(nodeId, `5.1.1.${at}:4433`, true);
  });
  const named = Array.from({ length: 400 }, () => refused(asker, '5.2.2.2:4433', false) as NodeId);
  const toNeedy = named.filter((nodeId) => needy.includes(nodeId)).length;
  t.true(toNeedy > 150 && toNeedy < 250, `${toNeedy} of 400`);
  t.is(named.filter((nodeId) => PEERS.includes(nodeId)).length, 400 - toNeedy);
});

test('a machine with many names is one node in need', (t) => {
  const { refused } = full();
  const [asker, honest, ...inventions] = nodeIds('inventions', 32) as [NodeId, NodeId, ...NodeId[]];
  refused(honest, '5.1.1.1:4433', true);
  inventions.forEach((nodeId, at) => {
    refused(nodeId, `5.9.9.9:${1_000 + at}`, true);
  });
  const named = Array.from({ length: 400 }, () => refused(asker, '5.2.2.2:4433', false) as NodeId);
  t.deepEqual(
    [...new Set(named.filter((nodeId) => inventions.includes(nodeId)))],
    inventions.slice(-1),
    'the last it said',
  );
  const toHonest = named.filter((nodeId) => nodeId === honest).length;
  t.true(toHonest > 60 && toHonest < 140, `${toHonest} of 400`);
});
