import { Type } from '../../kernel/index.ts';
import type { Static } from '../../kernel/index.ts';

/** Settings of content; a change is a swap, so every key takes effect at once. */
export const ContentConfig = Type.Object({
  feedPage: Type.Integer({
    default: 50,
    minimum: 1,
    maximum: 200,
    description: 'Posts of a feed page when the caller names no limit (live)',
  }),
  pullPageEntries: Type.Integer({
    default: 500,
    minimum: 1,
    maximum: 500,
    description: 'Posts and delete records of one answer to a pull request (live)',
  }),
  encounterMs: Type.Integer({
    default: 10_800_000,
    minimum: 60_000,
    maximum: 604_800_000,
    description: 'Age of the last encounter with somebody followed beyond which posts are pulled again (live)',
  }),
  pullPeers: Type.Integer({
    default: 4,
    minimum: 1,
    maximum: 64,
    description: 'Peers pulled from at the same time (live)',
  }),
  pullPages: Type.Integer({
    default: 4_000,
    minimum: 1,
    maximum: 1_000_000,
    description: 'Pages of one pull, after which it ends until the next one (live)',
  }),
  exchangeDeletes: Type.Integer({
    default: 2_000,
    minimum: 0,
    maximum: 3_000,
    description: 'Newest delete records told in the handshake with a peer; older ones come by pull (live)',
  }),
  othersMaxBytes: Type.Integer({
    default: 1_000_000_000,
    minimum: 1_000_000,
    maximum: 1_000_000_000_000,
    description: 'Room on disk for posts of others; the oldest never opened make room (live)',
  }),
  authorDayMaxBytes: Type.Integer({
    default: 100_000_000,
    minimum: 100_000,
    maximum: 1_000_000_000_000,
    description: 'What posts of one author may add to it in a day (live)',
  }),
});
export type ContentConfig = Static<typeof ContentConfig>;
