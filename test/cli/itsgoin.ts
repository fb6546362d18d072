import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { ExecutionContext } from 'ava';
import { temporaryDirectory } from '../rig/temporary.ts';

/** Runs the command line of the same build as this test; ends at once when the test's process does. */
const RUN = `process.once('disconnect', () => process.exit(9)); process.channel?.unref();
import(${JSON.stringify(new URL('../../cli/main.js', import.meta.url).href)})
  .then((cli) => cli.main(process.argv.slice(1))).then((code) => { process.exitCode = code; });`;
/** Longer than any command takes on a busy machine; a hang fails instead of waiting for ever. */
const LIMIT_MS = 30_000;

export interface Finished {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export function spawnItsgoin(args: readonly string[], env: Record<string, string> = {}): ChildProcess {
  return spawn(process.execPath, ['-e', RUN, '--', ...args], {
    stdio: ['pipe', 'pipe', 'pipe', 'ipc'],
    env: { ...process.env, ...env },
    timeout: LIMIT_MS,
    killSignal: 'SIGKILL',
  });
}

/** Runs `itsgoin` to its end, without a terminal. */
export async function itsgoin(
  args: readonly string[],
  input = '',
  env: Record<string, string> = {},
): Promise<Finished> {
  const child = spawnItsgoin(args, env);
  let out = '';
  let err = '';
  child.stdout?.on('data', (chunk) => {
    out += chunk;
  });
  child.stderr?.on('data', (chunk) => {
    err += chunk;
  });
  child.stdin?.end(input);
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, out, err };
}

export interface Daemon {
  readonly dataDir: string;
  readonly process: ChildProcess;
  /** Runs a command on it and gives its JSON result; fails the test when it fails. */
  json<Result = never>(...args: string[]): Promise<Result>;
  run(...args: string[]): Promise<Finished>;
  /** Ends it and gives its exit code, or the signal that ended it. */
  end(signal: NodeJS.Signals): Promise<number | string | null>;
}

/** Starts `itsgoin --daemon` on loopback and resolves when it listens. It is killed when the test ends. */
export async function startDaemon(
  t: ExecutionContext,
  dataDir = temporaryDirectory(t),
  options: readonly string[] = [],
): Promise<Daemon> {
  const args = ['--daemon', '--data', dataDir, '--bind', '127.0.0.1:0', ...options];
  const child = spawn(process.execPath, ['-e', RUN, '--', ...args], {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  for await (const line of createInterface({ input: child.stdout as NodeJS.ReadableStream }))
    if (line.startsWith('UDP port')) break;
  const run = (...args: string[]) => itsgoin([...args, '--data', dataDir]);
  return {
    dataDir,
    process: child,
    run,
    async json(...args) {
      const { code, out, err } = await run(...args, '--json');
      t.is(code, 0, err);
      return JSON.parse(out) as never;
    },
    async end(signal) {
      if (child.exitCode !== null) return child.exitCode;
      const gone = once(child, 'exit') as Promise<[number | null, string | null]>;
      child.kill(signal);
      const [code, by] = await gone;
      return code ?? by;
    },
  };
}
