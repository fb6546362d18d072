import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { connectControl } from '../kernel/control/socket-client.ts';
import type { NodeId } from '../kernel/index.ts';

const LAUNCHER = 'bin/itsgoin.js';
const START_LIMIT_MS = 10_000;

/** A node as an operator runs it: its own process, started by the launcher. */
export interface NodeProcess {
  /** From the process being spawned to its control socket answering, listening on UDP. */
  readonly startMs: number;
  readonly nodeId: NodeId;
  readonly port: number;
  call<R>(command: string, params?: object): Promise<R>;
  rssMb(): number;
  /** User and system time so far; the system counts in hundredths of a second. */
  cpuMs(): number;
  stop(): Promise<void>;
}

export async function startedNode(dir: string): Promise<NodeProcess> {
  const startedMs = performance.now();
  const child = spawn(process.execPath, [LAUNCHER, '--daemon', '--data', dir, '--bind', '127.0.0.1:0'], {
    stdio: 'ignore',
  });
  const pid = child.pid as number;
  for (;;) {
    try {
      const client = await connectControl(dir);
      const startMs = performance.now() - startedMs;
      const { node_id, port } = (await client.call('status', {})) as { node_id: NodeId; port: number };
      return {
        startMs,
        nodeId: node_id,
        port,
        call: (command, params = {}) => client.call(command, params),
        rssMb: () => Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1_024,
        cpuMs() {
          const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
          return (Number(fields[11]) + Number(fields[12])) * 10;
        },
        async stop() {
          await client.call('shutdown', {});
          await exited(child);
          client.close();
        },
      };
    } catch (error) {
      if (performance.now() - startedMs > START_LIMIT_MS) throw error;
      await pause(2);
    }
  }
}

export function exited(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => (child.exitCode === null ? child.once('exit', () => resolve()) : resolve()));
}
