import { execFileSync } from 'node:child_process';

/** What is measured runs at an address that is no loopback one, as on a link. */
const HOST = '10.77.0.1';

/** A network of this machine alone, with nothing in it but one address behind a given MTU. */
export interface NetworkNamespace {
  readonly host: string;
  /** Put before a command, this runs it there. */
  readonly within: readonly string[];
  remove(): void;
}

/** Both ends are at one address, and what they send passes the loopback device, so that has the MTU as well. */
export function makeNamespace(mtu: number): NetworkNamespace {
  if (process.platform !== 'linux' || process.getuid?.() !== 0)
    throw new Error('--mtu makes a network namespace, for which it must be run as root on Linux');
  const name = `itsgoin-bench-${process.pid}`;
  const ip = (...args: string[]): void => void execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'inherit'] });
  const remove = (): void => ip('netns', 'del', name);
  ip('netns', 'add', name);
  try {
    const size = ['mtu', String(mtu)];
    ip('-n', name, 'link', 'set', 'lo', 'up', ...size);
    ip('-n', name, 'link', 'add', 'bench0', ...size, 'type', 'veth', 'peer', 'name', 'bench1', ...size);
    for (const device of ['bench0', 'bench1']) ip('-n', name, 'link', 'set', device, 'up');
    ip('-n', name, 'address', 'add', `${HOST}/24`, 'dev', 'bench0');
  } catch (error) {
    remove();
    throw error;
  }
  return { host: HOST, within: ['ip', 'netns', 'exec', name], remove };
}
