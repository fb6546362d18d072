import type { NodeId } from '../../kernel/index.ts';
import { decodeIds, ID_WORDS, idOf } from '../../plugins/routing/id-list.ts';
import type { IdList } from '../../plugins/routing/id-list.ts';
import { nodeListUpdate, type NodeLists } from '../../plugins/routing/messages.ts';
import { initialExchange } from '../../plugins/peers/messages.ts';
import type { TappedFrame } from './wire-tap.ts';

/** What one peer hears of the N1 of another, message by message. */
export interface Heard {
  readonly atMs: number;
  readonly whole: boolean;
  /** In the order in which they stand in the message. */
  readonly added: readonly NodeId[];
  readonly removed: readonly NodeId[];
}

/** The lists in a frame: those of the first exchange, or of a notice. `undefined` for any other frame. */
export function listsIn({ code, text }: TappedFrame): NodeLists | undefined {
  if (code === nodeListUpdate.code) return JSON.parse(text) as NodeLists;
  if (code !== initialExchange.code) return undefined;
  return (JSON.parse(text) as { sections: { routes?: NodeLists } }).sections.routes;
}

export function heardIn(lists: NodeLists, atMs: number): Heard {
  return {
    atMs,
    whole: lists.base === undefined && lists.resync !== true,
    added: idsOf(lists.n1_added),
    removed: idsOf(lists.n1_removed),
  };
}

function idsOf(list: IdList = []): NodeId[] {
  const words = decodeIds(list, ID_WORDS) ?? new Uint32Array(0);
  return Array.from({ length: words.length / ID_WORDS }, (_, i) => idOf(words.subarray(i * ID_WORDS)));
}

/** What an observer can know of an entry: everything it heard, and nothing of who connects to whom. */
export interface Entry {
  readonly nodeId: NodeId;
  /** Place in the message that first named it, from 0 to 1. */
  readonly place: number;
  /** Which message that was, when it came, and how many it named. */
  readonly message: number;
  readonly firstAtMs: number;
  readonly company: number;
  /** Ms since the message before it: a notice on change comes at another time than the regular one. */
  readonly sinceLastMs: number;
  /** How often it went and came again, and for how long it was there. */
  readonly comings: number;
  readonly presentMs: number;
}

/** Reads what was heard, up to `endMs`. */
export function entriesOf(heard: readonly Heard[], endMs: number): Entry[] {
  const found = new Map<NodeId, { -readonly [K in keyof Entry]: Entry[K] } & { sinceMs: number | undefined }>();
  let lastMs = heard[0]?.atMs ?? 0;
  heard.forEach(({ atMs, whole, added, removed }, message) => {
    const named = new Set(added);
    const gone = whole ? [...found.keys()].filter((nodeId) => !named.has(nodeId)) : removed;
    for (const nodeId of gone) {
      const entry = found.get(nodeId);
      if (entry?.sinceMs === undefined) continue;
      entry.presentMs += atMs - entry.sinceMs;
      entry.sinceMs = undefined;
    }
    added.forEach((nodeId, at) => {
      const entry = found.get(nodeId);
      if (entry === undefined) {
        const place = added.length < 2 ? 0.5 : at / (added.length - 1);
        const first = { nodeId, place, message, firstAtMs: atMs, company: added.length, sinceLastMs: atMs - lastMs };
        found.set(nodeId, { ...first, comings: 1, presentMs: 0, sinceMs: atMs });
      } else if (entry.sinceMs === undefined) {
        entry.comings++;
        entry.sinceMs = atMs;
      }
    });
    lastMs = atMs;
  });
  return [...found.values()].map(({ sinceMs, ...entry }) => ({
    ...entry,
    presentMs: entry.presentMs + (sinceMs === undefined ? 0 : endMs - sinceMs),
  }));
}
