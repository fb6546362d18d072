import type { NodeConfig } from './config/index.ts';
import { formatAddress, parseAddress, socketAddress } from './transport/address.ts';
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
  const hasPort = /^(\[[^\]]+\]|[^:]+):\d+$/.test(text);
  const bind = hasPort ? parseAddress(text) : socketAddress(text.replace(/^\[|\]$/g, ''), port);
  const wildcard = bind.host === '::' || bind.host === '0.0.0.0';
  const advertised = bind.port === 0 || wildcard ? [] : [formatAddress(bind)];
  return { bind, advertise: [...advertised, ...config.advertise] };
}
