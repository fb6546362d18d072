import { randomBytes } from 'node:crypto';
import { systemClock, systemRandom } from '../../kernel/clock/index.ts';
import { makeCredentials } from '../../kernel/identity/certificate.ts';
import type { NodeId } from '../../kernel/index.ts';
import { createCounters } from '../../kernel/observe/index.ts';
import { parseAddress, quicTransport } from '../../kernel/transport/index.ts';
import type { Connection } from '../../kernel/transport/transport.ts';
import { recordingLog } from '../rig/recording-log.ts';

export interface HostilePeer {
  readonly connection: Connection;
  close(): Promise<void>;
}

/** A new identity with a raw connection: no wire layer keeps it from writing what it likes. */
export async function openHostile(target: { nodeId: NodeId; addresses: readonly string[] }): Promise<HostilePeer> {
  const transport = quicTransport({
    clock: systemClock(),
    random: systemRandom(),
    log: recordingLog(),
    counters: createCounters().of('hostile'),
  });
  const endpoint = await transport.open({
    bind: { host: '127.0.0.1', port: 0, family: 4 },
    credentials: makeCredentials(randomBytes(32), randomBytes(32)),
    onConnection() {},
  });
  const connection = await endpoint.dial({ addresses: target.addresses.map(parseAddress), expect: target.nodeId });
  return { connection, close: () => endpoint.close() };
}
