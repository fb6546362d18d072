import { codeOf } from '../../kernel/index.ts';
import type { NodeId } from '../../kernel/index.ts';
import { parseConnectString } from '../peers/api.ts';
import type { Anchor } from './api.ts';
import { anchorsErrors } from './errors.ts';

const ANCHORS_LISTED_MAX = 64;

/** Reads connect strings; the same node named twice keeps its first place and gets all addresses. */
export function readAnchors(texts: readonly string[], source: string, self: NodeId): readonly Anchor[] {
  const addressesOf = new Map<NodeId, string[]>();
  for (const text of texts) {
    try {
      const { nodeId, addresses } = parseConnectString(text);
      // The same file may be given to every node, the anchor itself included.
      if (nodeId !== self) addressesOf.set(nodeId, [...(addressesOf.get(nodeId) ?? []), ...addresses]);
    } catch (error) {
      const reason = error instanceof Error ? error.message : codeOf(error);
      throw anchorsErrors.make('bad-anchor-list', { source, reason }, error);
    }
  }
  return [...addressesOf].map(([nodeId, addresses]) => ({ nodeId, addresses: [...new Set(addresses)].slice(0, 16) }));
}

/**
 * Reads the text of `anchors.json`: a JSON array of connect strings, at most 64 (ID-07).
 *
 * @throws anchors/bad-anchor-list
 */
export function readAnchorsFile(text: string, self: NodeId): readonly Anchor[] {
  const source = 'anchors.json';
  let list: unknown;
  try {
    list = JSON.parse(text);
  } catch (error) {
    throw anchorsErrors.make('bad-anchor-list', { source, reason: 'it is not JSON' }, error);
  }
  if (!Array.isArray(list) || !list.every((entry) => typeof entry === 'string')) {
    throw anchorsErrors.make('bad-anchor-list', { source, reason: 'it is not an array of texts' });
  }
  if (list.length > ANCHORS_LISTED_MAX) {
    throw anchorsErrors.make('bad-anchor-list', { source, reason: `it names more than ${ANCHORS_LISTED_MAX} anchors` });
  }
  return readAnchors(list, source, self);
}
