import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { ExecutionContext } from 'ava';
import type { ControlClient } from '../../kernel/control/client.ts';
import { connectControl } from '../../kernel/control/socket-client.ts';
import { temporaryDirectory } from '../rig/temporary.ts';

/** What a user types; it runs the build beside it, which is that of this test. */
const LAUNCHER = fileURLToPath(new URL('../../../bin/itsgoin.js', import.meta.url));
/** Longer than any command takes on a busy machine; a hang fails instead of waiting for ever. */
const COMMAND_LIMIT_MS = 60_000;
/** What a swarm on one machine has to become true within. */
const UNTIL_LIMIT_MS = 120_000;

/** A node in a process of its own, with a data directory and a port of its own, as a newcomer starts it. */
export interface Newcomer {
  readonly nodeId: string;
  readonly connectString: string;
  /** By its own clock, of the process being spawned. */
  readonly startedMs: number;
  readonly pid: number;
  /** Runs a command by the launcher with `--json`, gives its result, fails the test when it fails. */
  cli<R>(...words: string[]): Promise<R>;
  /** The same by the control socket, for what is asked often. */
  call<R>(command: string, params?: Record<string, unknown>): Promise<R>;
  /** Resolves with the first answer to `ask` that is `enough`; asks again whenever an event of `topic` comes. */
  until<R>(topic: string, ask: () => Promise<R>, enough: (answer: R) => boolean): Promise<R>;
  /** Ends it in the middle of whatever it does. */
  kill(): Promise<void>;
}

export interface NewcomerOptions {
  /** Where it listens; default is loopback. */
  readonly host?: string;
  /** Put before a command, this runs it in a network of its own. */
  readonly within?: readonly string[];
}

/** Starts `itsgoin --daemon` and resolves when it listens; it knows nobody but `anchors`. */
export async function newcomer(
  t: ExecutionContext,
  anchors: readonly string[] = [],
  { host = '127.0.0.1', within = [] }: NewcomerOptions = {},
): Promise<Newcomer> {
  const dataDir = temporaryDirectory(t);
  const startedMs = performance.now();
  const args = ['--daemon', '--data', dataDir, '--bind', `${host.includes(':') ? `[${host}]` : host}:0`];
  const node = launch(
    [...args, ...anchors.flatMap((anchor) => ['--anchors', anchor])],
    ['ignore', 'pipe', 'inherit', 'ipc'],
    within,
  );
  t.teardown(() => node.kill('SIGKILL'));
  for await (const line of createInterface({ input: node.stdout as NodeJS.ReadableStream }))
    if (line.startsWith('UDP port')) break;
  const client: ControlClient = await connectControl(dataDir);
  t.teardown(() => client.close());
  const { node_id, connect } = await client.call<{ node_id: string; connect: string[] }>('identity.show');
  return {
    nodeId: node_id,
    connectString: connect[0] as string,
    startedMs,
    pid: node.pid as number,
    async cli(...words) {
      const { code, out, err } = await finished(launch([...words, '--json', '--data', dataDir]));
      t.is(code, 0, `${words.join(' ')}: ${err}`);
      return JSON.parse(out) as never;
    },
    call: (command, params = {}) => client.call(command, params),
    async until(topic, ask, enough) {
      let news = Promise.withResolvers<void>();
      const stop = await client.subscribe('events', { topic }, () => news.resolve());
      const limit = AbortSignal.timeout(UNTIL_LIMIT_MS);
      limit.addEventListener('abort', () => news.resolve());
      try {
        for (;;) {
          news = Promise.withResolvers();
          const answer = await ask();
          if (enough(answer)) return answer;
          if (limit.aborted)
            throw new Error(`${node_id.slice(0, 8)} after ${UNTIL_LIMIT_MS} ms: ${JSON.stringify(answer)}`);
          await news.promise;
        }
      } finally {
        stop();
      }
    },
    async kill() {
      const gone = once(node, 'exit');
      node.kill('SIGKILL');
      await gone;
    },
  };
}

/** The node's own end follows that of this process, however that comes. */
function launch(
  args: readonly string[],
  stdio: ('ignore' | 'pipe' | 'inherit' | 'ipc')[] = ['ignore', 'pipe', 'pipe', 'ipc'],
  within: readonly string[] = [],
): ChildProcess {
  const [program, ...words] = [...within, process.execPath, LAUNCHER, ...args] as [string, ...string[]];
  return spawn(program, words, { stdio, env: { ...process.env, ITSGOIN_LAUNCHED: '1' } });
}

async function finished(child: ChildProcess): Promise<{ code: number | null; out: string; err: string }> {
  const limit = setTimeout(() => child.kill('SIGKILL'), COMMAND_LIMIT_MS);
  let [out, err] = ['', ''];
  child.stdout?.on('data', (chunk) => {
    out += chunk;
  });
  child.stderr?.on('data', (chunk) => {
    err += chunk;
  });
  const [code] = (await once(child, 'close')) as [number | null];
  clearTimeout(limit);
  return { code, out, err };
}
