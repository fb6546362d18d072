import { closeSync, constants, openSync, readdirSync, readFileSync, readlinkSync, readSync } from 'node:fs';

/** What `/proc` counts start times in, whatever the kernel's own clock does. */
const TICKS_PER_SECOND = 100;
/** What libuv writes into its signal pipe: a pointer, then the signal's number. */
const SIGNAL_BYTES = 16;
const SIGNAL_AT = 8;
const SIGNALS_READ_MAX = 32;
const STOP_SIGNALS = [2, 15];

interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly ageMs: number;
}

/**
 * Ends the child processes of this one that are younger than `ageMs`, with theirs: a main thread that is held for
 * so long can only have started them itself, to wait for them. Returns how many; 0 where there is no `/proc`.
 */
export function endYoungChildren(ageMs: number): number {
  const all = processes();
  const ended = all.filter(({ parent, ageMs: age }) => parent === process.pid && age < ageMs).map(({ pid }) => pid);
  for (const pid of ended) {
    ended.push(...all.filter(({ parent }) => parent === pid).map((child) => child.pid));
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It ended by itself, or is somebody else's (a setuid program).
    }
  }
  return ended.length;
}

function processes(): Process[] {
  try {
    const upMs = Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]) * 1_000;
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .flatMap((name) => {
        try {
          const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
          // The name of the program may have blanks and brackets in it.
          const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
          const ageMs = upMs - (Number(fields[19]) * 1_000) / TICKS_PER_SECOND;
          return [{ pid: Number(name), parent: Number(fields[1]), ageMs }];
        } catch {
          return [];
        }
      });
  } catch {
    return [];
  }
}

/**
 * True when this process was sent SIGTERM or SIGINT and its event loop has not turned since. Such a signal waits in a
 * pipe of which the process has both ends. Reading takes it away, so who asks has to see to the stop.
 */
export function takeStopSignal(): boolean {
  try {
    const ends = new Map<string, string[]>();
    for (const fd of readdirSync('/proc/self/fd')) {
      const target = linkOf(`/proc/self/fd/${fd}`);
      if (target.startsWith('pipe:')) ends.set(target, [...(ends.get(target) ?? []), fd]);
    }
    const own = [...ends.values()].filter(({ length }) => length === 2).flat();
    return own.filter(isReadEnd).some((fd) => signalsIn(fd).some((signal) => STOP_SIGNALS.includes(signal)));
  } catch {
    return false;
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

function isReadEnd(fd: string): boolean {
  const flags = /^flags:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1] ?? '1';
  return (Number.parseInt(flags, 8) & 3) === constants.O_RDONLY;
}

function signalsIn(fd: string): number[] {
  const copy = openSync(`/proc/self/fd/${fd}`, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const bytes = Buffer.alloc(SIGNAL_BYTES * SIGNALS_READ_MAX);
    const length = readSync(copy, bytes);
    if (length % SIGNAL_BYTES !== 0) return [];
    return Array.from({ length: length / SIGNAL_BYTES }, (_, at) => bytes.readInt32LE(at * SIGNAL_BYTES + SIGNAL_AT));
  } catch {
    // Nothing is in it.
    return [];
  } finally {
    closeSync(copy);
  }
}
