import { defineNotice, Type } from '../../kernel/index.ts';
import type { Static } from '../../kernel/index.ts';
import { ID_WORDS, idListType, N1_SHARE_MAX, N2_SHARE_MAX, SHORT_WORDS } from './id-list.ts';

/** Peers that both offer it get packed lists. */
export const PACKED_IDS = 'packed-ids';

const N1List = idListType(N1_SHARE_MAX, ID_WORDS);
const N2List = idListType(N2_SHARE_MAX, SHORT_WORDS);

/** N1 and N2 of the sender: ids only, without addresses or where they come from (KNOW-01, KNOW-05). */
export const NodeLists = Type.Object({
  /** What the lists are after this; grows with each change. */
  revision: Type.Integer({ minimum: 0 }),
  /** The revision this is a diff to. Without it, what is added is the whole list. */
  base: Type.Optional(Type.Integer({ minimum: 0 })),
  n1_added: Type.Optional(N1List),
  n1_removed: Type.Optional(N1List),
  n2_added: Type.Optional(N2List),
  n2_removed: Type.Optional(N2List),
  /** The sender has missed something of ours and asks for the whole lists. */
  resync: Type.Optional(Type.Boolean()),
});
export type NodeLists = Static<typeof NodeLists>;

export const nodeListUpdate = defineNotice({
  code: 0x01,
  name: 'NodeListUpdate',
  about: 'Incremental N1/N2 diff',
  body: NodeLists,
  // Two plain lists of N2, two of N1.
  maxBytes: 2_560 * 1_024,
  // One in 120 s, one in 10 s while N1 changes, and the whole lists now and then.
  budget: { perSecond: 0.5, burst: 10, inFlight: 1 },
  priority: 'background',
});
