import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { testNode } from '../rig/nodes.ts';
import { temporaryDirectory } from '../rig/temporary.ts';

test('over QUIC a node finds its peers from the anchor of the file, or of the option instead', async (t) => {
  const anchor = await testNode(t);
  const dataDir = temporaryDirectory(t);
  writeFileSync(join(dataDir, 'anchors.json'), JSON.stringify([anchor.connectString]));
  const first = await testNode(t, { dataDir });
  await first.nextEvent('anchors/rejoin-ended');
  t.like(await first.run('peer.list'), { peers: [{ node_id: anchor.nodeId }] });

  const other = temporaryDirectory(t);
  writeFileSync(join(other, 'anchors.json'), 'not read');
  const second = await testNode(t, {
    dataDir: other,
    files: { 'anchors.json': JSON.stringify([anchor.connectString]) },
  });
  await second.nextEvent('anchors/rejoin-ended');
  const { peers } = await second.run<{ peers: { node_id: string }[] }>('peer.list');
  t.deepEqual(peers.map(({ node_id }) => node_id).sort(), [anchor.nodeId, first.nodeId].sort());
});
