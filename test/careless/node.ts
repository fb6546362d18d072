import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ExecutionContext } from 'ava';
import { connectControl } from '../../kernel/control/socket-client.ts';
import type { PluginSummary } from '../../kernel/lifecycle/plugin-host.ts';

const PROGRAM = fileURLToPath(new URL('../../../bin/itsgoin.js', import.meta.url));
const POLL_MS = 50;
/** A node that has not answered by then is not coming back. */
const GONE_MS = 20_000;

export interface WatchedNode {
  /** What `plugin list` shows as soon as all of `seen` is true; asks all the time and notes how long answers took. */
  until(seen: (plugins: readonly PluginSummary[]) => boolean, limitMs: number): Promise<readonly PluginSummary[]>;
  /** Asks something that may never be answered. */
  ask(command: string, params: object): Promise<unknown>;
  /** The longest that nobody got an answer since this was last read. */
  takeWorstMs(): number;
  readonly ended: boolean;
  stop(): Promise<number | null>;
}

/** A node as its user starts it, on loopback, in a process of its own. */
export async function watchedNode(
  t: ExecutionContext,
  dataDir: string,
  options: readonly string[] = [],
): Promise<WatchedNode> {
  const args = [PROGRAM, '--daemon', '--data', dataDir, '--bind', '127.0.0.1:0', ...options];
  const child = spawn(process.execPath, args, { stdio: 'ignore' });
  t.teardown(() => child.kill('SIGKILL'));
  const ended = (): boolean => child.exitCode !== null || child.signalCode !== null;
  let worstMs = 0;
  const ask = async (): Promise<readonly PluginSummary[]> => {
    const startedMs = performance.now();
    for (;;) {
      try {
        return await answer(dataDir);
      } catch (error) {
        if (ended() || performance.now() - startedMs > GONE_MS) throw error;
        await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      } finally {
        worstMs = Math.max(worstMs, performance.now() - startedMs);
      }
    }
  };
  await ask();
  worstMs = 0;
  return {
    async until(seen, limitMs) {
      const startedMs = performance.now();
      for (;;) {
        const plugins = await ask();
        if (seen(plugins) || performance.now() - startedMs > limitMs) return plugins;
        await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      }
    },
    async ask(command, params) {
      const client = await connectControl(dataDir);
      try {
        return await client.call(command, params);
      } finally {
        client.close();
      }
    },
    takeWorstMs() {
      const worst = worstMs;
      worstMs = 0;
      return worst;
    },
    get ended() {
      return ended();
    },
    async stop() {
      if (ended()) return child.exitCode;
      const gone = once(child, 'exit') as Promise<[number | null]>;
      child.kill('SIGTERM');
      const [code] = await gone;
      return code;
    },
  };
}

/** A connection that is taken and not answered is given up, and counts as no answer. */
async function answer(dataDir: string): Promise<readonly PluginSummary[]> {
  const client = await connectControl(dataDir);
  let limit: NodeJS.Timeout | undefined;
  try {
    const silence = new Promise<never>((_, reject) => {
      limit = setTimeout(() => reject(new Error('no answer')), 1_000);
    });
    const { plugins } = await Promise.race([client.call<{ plugins: PluginSummary[] }>('plugin.list'), silence]);
    return plugins;
  } finally {
    clearTimeout(limit);
    client.close();
  }
}

export const pluginPath = (dataDir: string, name: string): string => join(dataDir, 'plugins', `${name}.ts`);
