import type { EndpointSocket } from '../../kernel/transport/transport.ts';

/** What such a socket does with datagrams. */
export const unheard = (): boolean => false;

/** The socket of an endpoint that sends nothing. */
export function fakeSocket(): EndpointSocket {
  return {
    port: 4433,
    closed: false,
    localAddresses: () => [],
    onDatagram: unheard,
    send: () => true,
    accept() {},
    close() {},
  };
}
