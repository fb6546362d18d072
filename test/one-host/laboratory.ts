import { execFileSync } from 'node:child_process';
import type { ExecutionContext } from 'ava';

/**
 * A network of this machine alone with these addresses, gone with the test. They are addresses of documentation,
 * so that nobody in it is excepted from shares.
 */
export function laboratory(t: ExecutionContext, addresses: readonly string[]): readonly string[] {
  if (process.platform !== 'linux' || process.getuid?.() !== 0)
    throw new Error('this test makes a network namespace, for which it must be run as root on Linux');
  const name = `itsgoin-one-host-${process.pid}-${Date.now() % 100_000}`;
  const ip = (...args: string[]): void => void execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'inherit'] });
  ip('netns', 'add', name);
  t.teardown(() => ip('netns', 'del', name));
  ip('-n', name, 'link', 'set', 'lo', 'up', 'mtu', '1500');
  for (const address of addresses) {
    const length = address.includes(':') ? '128' : '32';
    ip('-n', name, 'address', 'add', `${address}/${length}`, 'dev', 'lo', ...(length === '128' ? ['nodad'] : []));
  }
  return ['ip', 'netns', 'exec', name];
}
