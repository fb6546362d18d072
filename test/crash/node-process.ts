import { startNode } from '../../kernel/node.ts';

// Run by the tests as `node node-process.js <data dir>`: a node as `itsgoin` starts it, headless on loopback.
await startNode({ dataDir: process.argv[2] as string, bind: '127.0.0.1:0' });
process.stdout.write('started\n');
