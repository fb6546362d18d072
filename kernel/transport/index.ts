import { QuicEndpoint, type EndpointDeps } from './quic/endpoint.ts';
import type { EndpointOptions, Transport } from './transport.ts';

export {
  classifyAddress,
  formatAddress,
  parseAddress,
  resolveAddress,
  socketAddress,
  type AddressClass,
} from './address.ts';
export { transportErrors } from './errors.ts';
export { DEFAULT_LIMITS } from './limits.ts';
export {
  memoryNetwork,
  type LinkOptions,
  type MemoryNetwork,
  type MemoryNetworkDeps,
  type Route,
} from './memory/network.ts';
export type { EndpointDeps, QuicEndpoint } from './quic/endpoint.ts';
export type * from './transport.ts';

/** The transport of a real node: QUIC over one UDP socket for each endpoint. */
export interface QuicTransport extends Transport {
  /** @throws transport/bind-failed */
  open(options: EndpointOptions): Promise<QuicEndpoint>;
}

export function quicTransport(deps: EndpointDeps): QuicTransport {
  return {
    open: (options) => QuicEndpoint.open(options, deps),
  };
}
