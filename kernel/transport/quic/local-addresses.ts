import { networkInterfaces } from 'node:os';
import { socketAddress } from '../address.ts';
import type { SocketAddress } from '../transport.ts';

/**
 * Where an endpoint can be reached from this machine's networks: its own address, or for a wildcard those of all
 * interfaces, those of use to other machines first, shorter ones before longer ones.
 */
export function localAddresses(bind: SocketAddress | undefined, port: number, family: 4 | 6): readonly SocketAddress[] {
  if (bind !== undefined && bind.host !== '::' && bind.host !== '0.0.0.0') return [socketAddress(bind.host, port)];
  return (
    Object.values(networkInterfaces())
      .flatMap((addresses) => addresses ?? [])
      .filter((address) => address.family === 'IPv4' || family === 6)
      // A link-local address means nothing without the interface, which only this machine knows.
      .filter(({ scopeid }) => scopeid === undefined || scopeid === 0)
      .sort((a, b) => Number(a.internal) - Number(b.internal) || a.address.length - b.address.length)
      .map(({ address }) => socketAddress(address, port))
  );
}
