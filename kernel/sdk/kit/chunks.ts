import { kitErrors } from './errors.ts';

/** Chunks without a byte in a row that a source may yield: with more it would keep the event loop to itself. */
export const EMPTY_CHUNKS_MAX = 1_000;

/** Where a plugin takes bytes from. A yielded chunk is the kernel's from then on; `return` is called on an early end. */
export type ChunkSource = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

/** What a source yields. `next` rejects with kit/empty-chunks for one that yields nothing over and over. */
export function chunksOf(source: ChunkSource): AsyncIterator<Uint8Array, unknown> {
  const iterator = Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
  let empty = 0;
  return {
    async next() {
      const next = await iterator.next();
      empty = next.done || next.value.length > 0 ? 0 : empty + 1;
      if (empty > EMPTY_CHUNKS_MAX) throw kitErrors.make('empty-chunks', { max: EMPTY_CHUNKS_MAX });
      return next;
    },
    async return() {
      await iterator.return?.();
      return { done: true, value: undefined };
    },
  };
}
