import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import type { Random } from '../../kernel/sdk/clock.ts';

/** A process that stores things and says when they are stored. */
export interface CrashSubject {
  /** Starts it on its data directory, with stderr piped. */
  start(): ChildProcess;
  /** Makes it store things until it is gone, telling each id once the process has acknowledged it. */
  load(child: ChildProcess, acknowledged: (id: string) => void): Promise<void>;
  /** Which of `ids` are there, asked while nothing runs. */
  stored(ids: readonly string[]): Promise<ReadonlySet<string>>;
}

export interface CrashReport {
  readonly acknowledged: number;
  /** Acknowledged but not stored: must be empty. */
  readonly missing: readonly string[];
  /** Rounds that ended during start, before anything was acknowledged. */
  readonly killedAtStart: number;
}

/** Every fifth kill comes within this time of the start, while the process recovers from the last one. */
const START_KILL_MS = 250;
/** The others come within this time of the round's first acknowledgement. */
const LOAD_KILL_MS = 200;
const FIRST_ACK_LIMIT_MS = 30_000;

/** Starts, loads and kills (-9) the subject `rounds` times at random moments, then counts what is left. */
export async function killRepeatedly(
  subject: CrashSubject,
  { rounds, random }: { rounds: number; random: Random },
): Promise<CrashReport> {
  const acknowledged: string[] = [];
  let killedAtStart = 0;
  for (let round = 0; round < rounds; round++) {
    const before = acknowledged.length;
    await killOnce(subject, random, (id) => acknowledged.push(id));
    if (acknowledged.length === before) killedAtStart++;
  }
  const stored = await subject.stored(acknowledged);
  return {
    acknowledged: acknowledged.length,
    missing: acknowledged.filter((id) => !stored.has(id)),
    killedAtStart,
  };
}

async function killOnce(subject: CrashSubject, random: Random, acknowledged: (id: string) => void): Promise<void> {
  const atStart = random.float() < 0.2;
  const child = subject.start();
  const exited = once(child, 'exit');
  let stderr = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    stderr = (stderr + chunk.toString()).slice(-4_000);
  });
  const first = new Promise<void>((resolve) => {
    // The load ends with the process: its last call has no answer, which is no failure.
    void subject
      .load(child, (id) => {
        acknowledged(id);
        resolve();
      })
      .catch(() => {});
  });
  if (!atStart) await Promise.race([first, exited, wait(FIRST_ACK_LIMIT_MS, undefined, { ref: false })]);
  await Promise.race([exited, wait(random.float() * (atStart ? START_KILL_MS : LOAD_KILL_MS))]);
  child.kill('SIGKILL');
  const [code, signal] = (await exited) as [number | null, string | null];
  if (signal !== 'SIGKILL') throw new Error(`ended by itself with ${code ?? signal}: ${stderr}`);
}
