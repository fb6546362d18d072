import { parentPort, workerData } from 'node:worker_threads';
import { openCheckpointConnection } from './connection.ts';

// A thread of `Checkpointer`: answers each 'pass' with '' or what went wrong, and ends with 'close'.
const connection = openCheckpointConnection(workerData as string);

parentPort?.on('message', (message: 'pass' | 'close') => {
  if (message === 'pass') {
    parentPort?.postMessage(pass());
  } else {
    connection.close();
    parentPort?.close();
  }
});

function pass(): string {
  try {
    // The other modes take the writer's lock, and a writer that finds it taken stops the event loop.
    connection.pragma('wal_checkpoint(PASSIVE)');
    return '';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
