import { hexSchema, isHexId, Type } from '../../kernel/index.ts';
import type { NodeId, Static } from '../../kernel/index.ts';

/** 32-bit words of a whole id. */
export const ID_WORDS = 8;
/**
 * Words of an id that N3 keeps, and that a packed N2 share carries: the first 16 bytes. Nothing reads an
 * id out of N3; it is only asked whether a given one is there. To pass for another id there, somebody
 * would have to find a key with the same 128 bits, and gain no more than by claiming that id at once.
 */
export const SHORT_WORDS = 4;

/** Largest N1 and N2 share. What a longer list of a peer has on top is refused with the whole message. */
export const N1_SHARE_MAX = 2_048;
export const N2_SHARE_MAX = 16_384;

/** Ids as hex texts, or packed: base64 of their first bytes, sorted, one after the other. */
export function idListType(maxItems: number, words: number) {
  const maxLength = Math.ceil((maxItems * words * 4) / 3) * 4;
  return Type.Union([
    Type.Array(hexSchema(32), { maxItems }),
    Type.String({ maxLength, pattern: '^[A-Za-z0-9+/]*={0,2}$' }),
  ]);
}
export type IdList = Static<ReturnType<typeof idListType>>;

/** The list form of ids, in sorted order: their order tells nothing of where they come from (PRIV-01). */
export function encodeIds(ids: Iterable<string>, words: number, packed: boolean): IdList {
  const sorted = [...ids].sort();
  if (!packed) return sorted;
  return Buffer.from(sorted.map((id) => id.slice(0, words * 8)).join(''), 'hex').toString('base64');
}

/** The first `words` words of each id of a list; `undefined` when it is not whole. */
export function decodeIds(list: IdList, words: number): Uint32Array | undefined {
  if (typeof list === 'string') {
    const bytes = Buffer.from(list, 'base64');
    return bytes.length % (words * 4) === 0 ? toWords(bytes) : undefined;
  }
  return toWords(Buffer.from(list.map((id) => id.slice(0, words * 8)).join(''), 'hex'));
}

/** The list form of words as {@link decodeIds} returns them, packed. */
export function packWords(words: Uint32Array): string {
  return Buffer.from(words.buffer, words.byteOffset, words.byteLength).toString('base64');
}

const scratch = Buffer.alloc(ID_WORDS * 4);
const scratchWords = new Uint32Array(scratch.buffer, scratch.byteOffset, ID_WORDS);

/** The words of one id, in memory that the next call uses again. Something that is no id is all zero. */
export function wordsOf(id: string): Uint32Array {
  scratch.fill(0);
  if (isHexId(id)) scratch.write(id, 'hex');
  return scratchWords;
}

/** The id whose words these are. */
export function idOf(words: Uint32Array): NodeId {
  return Buffer.from(words.buffer, words.byteOffset, ID_WORDS * 4).toString('hex') as NodeId;
}

/** In place where the bytes are aligned, as typed arrays want them; nobody keeps them for longer than a call. */
function toWords(bytes: Buffer): Uint32Array {
  if (bytes.byteOffset % 4 === 0) return new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  const words = new Uint32Array(bytes.length / 4);
  new Uint8Array(words.buffer).set(bytes);
  return words;
}
