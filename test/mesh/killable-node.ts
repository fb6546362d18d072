import { startNode } from '../../kernel/node.ts';

/** A node in a process of its own, so that a test can kill it: `killable-node <data dir> <bind> <plugin folder>...` */
const [dataDir = '', bind = '', ...plugins] = process.argv.slice(2);
const node = await startNode({ dataDir, bind, plugins, attended: false, logTo: 'none' });

process.on('message', ({ command, params }: { command: string; params: unknown }) => {
  node.host.run(command, params, { signal: AbortSignal.timeout(30_000), progress() {} }).then(
    (result) => process.send?.({ result }),
    (error: Error) => process.send?.({ error: error.message }),
  );
});
process.send?.({ result: { nodeId: node.self.nodeId, port: node.network.port } });
