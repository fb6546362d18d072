import { spawn } from 'node:child_process';
import { connect } from 'node:net';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { LabError } from './nodes.ts';

const READY_MAX_MS = 10_000;
const END_MAX_MS = 2_000;
const POLL_MS = 5;
const ANSWER_MAX_MS = 5_000;

/** A `natwire` or `natd` that runs, as it is kept between commands. */
export interface Helper {
  readonly node: string;
  readonly what: 'natwire' | 'natd';
  readonly pid: number;
  /** Process ids come again: together with the time of its start one is unique. */
  readonly startedAt: string;
  /** Socket for commands. */
  readonly control: string;
}

/** Starts one and waits until it says that it is ready. */
export async function startHelper(
  node: string,
  what: Helper['what'],
  program: string,
  args: readonly string[],
  dir: string,
): Promise<Helper> {
  const log = `${dir}/${node}.${what}.log`;
  const control = `${dir}/${node}.${what}`;
  const out = openSync(log, 'w');
  const child = spawn(program, [...args, `ctl=${control}`], { detached: true, stdio: ['ignore', out, out] });
  closeSync(out);
  child.unref();
  const pid = child.pid ?? 0;
  const helper = { node, what, pid, startedAt: startOf(pid) ?? '', control };
  const said = (): string => (existsSync(log) ? readFileSync(log, 'utf8') : '');
  for (let waited = 0; !said().includes(`${what}: ready`); waited += POLL_MS) {
    if (!runs(helper) || waited > READY_MAX_MS) {
      await endHelpers([helper]);
      throw new LabError(`${what} of ${node} did not start: ${said().trim()}`);
    }
    await pause(POLL_MS);
  }
  return helper;
}

/** Ends them, with force after two seconds. */
export async function endHelpers(helpers: readonly Helper[]): Promise<void> {
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    for (const helper of helpers) if (runs(helper)) process.kill(helper.pid, signal);
    for (let waited = 0; helpers.some(runs) && waited < END_MAX_MS; waited += POLL_MS) await pause(POLL_MS);
  }
}

/** One line to its socket, and what it answers. @throws LabError */
export function askHelper({ control, node }: Helper, line: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(control, () => socket.write(`${line}\n`));
    let answer = '';
    socket.setTimeout(ANSWER_MAX_MS, () => socket.destroy(new Error('no answer')));
    socket.on('data', (bytes) => {
      answer += String(bytes);
    });
    socket.on('error', (error) => reject(new LabError(`${node}: ${error.message}`)));
    socket.on('end', () => {
      if (answer.startsWith('error')) reject(new LabError(`${node}: ${answer.trim()}`));
      else resolve(answer);
    });
  });
}

function runs({ pid, startedAt }: Helper): boolean {
  return startedAt !== '' && startOf(pid) === startedAt;
}

/** When a process started, in ticks of the system; undefined once it has ended. */
function startOf(pid: number): string | undefined {
  try {
    const [state, ...fields] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    return state === 'Z' ? undefined : fields[18];
  } catch {
    return undefined;
  }
}
