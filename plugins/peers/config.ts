import { Type } from '../../kernel/index.ts';
import type { Static } from '../../kernel/index.ts';

/** Settings of peers; a change is a swap, so every key takes effect at once. They were mesh's once. */
export const PeersConfig = Type.Object({
  keepAliveMs: Type.Integer({
    default: 30_000,
    minimum: 1_000,
    maximum: 300_000,
    formerly: 'mesh.keepAliveMs',
    description: 'Interval of the heartbeat on each mesh connection (live)',
  }),
  zombieMs: Type.Integer({
    default: 600_000,
    minimum: 10_000,
    maximum: 86_400_000,
    formerly: 'mesh.zombieMs',
    description: 'A connection with no frame in or out for so long is closed (live)',
  }),
  redialBaseMs: Type.Integer({
    default: 500,
    minimum: 50,
    maximum: 60_000,
    formerly: 'mesh.redialBaseMs',
    description: 'First wait before a remembered peer is dialled again; doubles with each failure (live)',
  }),
  redialMaxMs: Type.Integer({
    default: 60_000,
    minimum: 1_000,
    maximum: 3_600_000,
    formerly: 'mesh.redialMaxMs',
    description: 'Longest wait between two dials of a remembered peer (live)',
  }),
  rowsPerAddress: Type.Integer({
    default: 100,
    minimum: 1,
    maximum: 10_000,
    description:
      'Strangers remembered of one IPv4 address or IPv6 /64, a /48 four times as many; each costs 500 bytes (live)',
  }),
});
export type PeersConfig = Static<typeof PeersConfig>;
