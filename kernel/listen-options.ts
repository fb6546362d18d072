import { isIP } from 'node:net';
import type { NodeConfig } from './config/index.ts';
import { formatAddress, socketAddress } from './transport/address.ts';
import { transportErrors } from './transport/errors.ts';
import type { SocketAddress } from './transport/transport.ts';

/** What the command line says about listening; it overrides the config file. */
export interface ListenArguments {
  /** `host:port`, or a host alone. */
  readonly bind?: string;
  readonly port?: number;
}

export interface ListenOptions {
  readonly bind: SocketAddress;
  readonly advertise: readonly string[];
}

/**
 * Where to listen and what to advertise. An address given by `--bind` or config is advertised first,
 * because whoever names it knows that others reach us there (CLI-02); a wildcard says nothing.
 *
 * @throws transport/bad-address
 */
export function listenOptions(given: ListenArguments, config: NodeConfig): ListenOptions {
  const text = given.bind ?? config.bind;
  const port = given.port ?? config.port;
  if (text === '') return { bind: socketAddress('::', port), advertise: config.advertise };
  // Port 0 asks for a free one, which no address to dial may say: so it is taken apart here.
  const [, host = text, own] = /^(\[[^\]]+\]|[^:]+):(\d{1,5})$/.exec(text) ?? [];
  const bare = host.replace(/^\[|\]$/g, '');
  if (isIP(bare) === 0) throw transportErrors.make('bad-address', { text });
  const bind = socketAddress(bare, own === undefined ? port : Number(own));
  const wildcard = bind.host === '::' || bind.host === '0.0.0.0';
  const advertised = bind.port === 0 || wildcard ? [] : [formatAddress(bind)];
  return { bind, advertise: [...advertised, ...config.advertise] };
}
