import type { Random } from '../../kernel/index.ts';

/** Rows are kept in blocks, so that growing copies nothing. */
const BLOCK_BITS = 10;
export const BLOCK_ROWS = 1 << BLOCK_BITS;
const IN_BLOCK = BLOCK_ROWS - 1;

/** A slot of the hash holds row + 1 in these bits, and above them bits of the hash that its place does not tell. */
const ROW_BITS = 22;
const ROW_MASK = (1 << ROW_BITS) - 1;
/** Rows one table can hold at all; its users set lower limits. */
export const ROWS_MAX = ROW_MASK - 1;

const SHARD_BITS = 6;
const SHARDS = 1 << SHARD_BITS;
const SHARD_SLOTS_FIRST = 16;

/**
 * Interned ids: each id once, as a row of 32-bit words in typed arrays, found through an open-addressing
 * hash. The hash is keyed at random because peers choose the ids. It is split into shards that fill up
 * at different loads, so that no single call pays for growing all of it.
 */
export class IdTable {
  readonly words: number;
  readonly #blocks: Uint32Array[] = [];
  readonly #shards: Uint32Array[] = [];
  readonly #counts = new Uint32Array(SHARDS);
  readonly #keys: Int32Array;
  /** Head of the chain of free rows, each holding the next in its first word; rows count from 1 here. */
  #free = 0;
  #rows = 0;
  #size = 0;

  /** `words`: 32-bit words of an id that count, 8 for all of it. */
  constructor(words: number, random: Random) {
    this.words = words;
    const bytes = random.bytes((words + 1) * 4);
    this.#keys = new Int32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
    for (let i = 0; i <= words; i++) this.#keys[i] = (this.#keys[i] as number) | 1;
    for (let i = 0; i < SHARDS; i++) this.#shards.push(new Uint32Array(SHARD_SLOTS_FIRST));
  }

  get size(): number {
    return this.#size;
  }

  /** One more than the highest row ever used: the end of a scan. */
  get rows(): number {
    return this.#rows;
  }

  /** Bytes held by the arrays. */
  get bytes(): number {
    let bytes = this.#blocks.length * BLOCK_ROWS * this.words * 4;
    for (const shard of this.#shards) bytes += shard.byteLength;
    return bytes;
  }

  /** The row of the id that begins at `ids[at]`, or -1. */
  find(ids: Uint32Array, at: number): number {
    const hash = this.#hash(ids, at);
    const slots = this.#shards[hash & (SHARDS - 1)] as Uint32Array;
    const mask = slots.length - 1;
    for (let i = (hash >>> SHARD_BITS) & mask; ; i = (i + 1) & mask) {
      const slot = slots[i] as number;
      if (slot === 0) return -1;
      if ((slot ^ hash) >>> ROW_BITS === 0 && this.#equals((slot & ROW_MASK) - 1, ids, at)) {
        return (slot & ROW_MASK) - 1;
      }
    }
  }

  /** Adds an id that {@link find} does not find; returns its row. The caller has checked the limit. */
  add(ids: Uint32Array, at: number): number {
    const row = this.#takeRow();
    const block = this.#blocks[row >>> BLOCK_BITS] as Uint32Array;
    const start = (row & IN_BLOCK) * this.words;
    for (let i = 0; i < this.words; i++) block[start + i] = ids[at + i] as number;
    const hash = this.#hash(ids, at);
    const shard = hash & (SHARDS - 1);
    const count = (this.#counts[shard] as number) + 1;
    this.#counts[shard] = count;
    const { length } = this.#shards[shard] as Uint32Array;
    // From half to three quarters full.
    if (count > length * (0.5 + shard / (4 * SHARDS))) this.#grow(shard);
    this.#place(this.#shards[shard] as Uint32Array, hash, row);
    this.#size++;
    return row;
  }

  remove(row: number): void {
    const block = this.#blocks[row >>> BLOCK_BITS] as Uint32Array;
    const start = (row & IN_BLOCK) * this.words;
    const hash = this.#hash(block, start);
    const shard = hash & (SHARDS - 1);
    const slots = this.#shards[shard] as Uint32Array;
    const mask = slots.length - 1;
    let hole = (hash >>> SHARD_BITS) & mask;
    while (((slots[hole] as number) & ROW_MASK) !== row + 1) hole = (hole + 1) & mask;
    // What follows moves up, unless it stands at or behind its own place already: no tombstones.
    for (let i = (hole + 1) & mask; slots[i] !== 0; i = (i + 1) & mask) {
      const slot = slots[i] as number;
      const home = (this.#hashOf((slot & ROW_MASK) - 1) >>> SHARD_BITS) & mask;
      if (((i - home) & mask) >= ((i - hole) & mask)) {
        slots[hole] = slot;
        hole = i;
      }
    }
    slots[hole] = 0;
    this.#counts[shard] = (this.#counts[shard] as number) - 1;
    block[start] = this.#free;
    this.#free = row + 1;
    this.#size--;
  }

  /** Copies the id of a row to `into[at]`. */
  read(row: number, into: Uint32Array, at: number): void {
    const start = (row & IN_BLOCK) * this.words;
    into.set((this.#blocks[row >>> BLOCK_BITS] as Uint32Array).subarray(start, start + this.words), at);
  }

  #takeRow(): number {
    if (this.#free !== 0) {
      const row = this.#free - 1;
      this.#free = (this.#blocks[row >>> BLOCK_BITS] as Uint32Array)[(row & IN_BLOCK) * this.words] as number;
      return row;
    }
    if (this.#rows === this.#blocks.length * BLOCK_ROWS) {
      this.#blocks.push(new Uint32Array(BLOCK_ROWS * this.words));
    }
    return this.#rows++;
  }

  #equals(row: number, ids: Uint32Array, at: number): boolean {
    const block = this.#blocks[row >>> BLOCK_BITS] as Uint32Array;
    const start = (row & IN_BLOCK) * this.words;
    for (let i = 0; i < this.words; i++) if (block[start + i] !== ids[at + i]) return false;
    return true;
  }

  #hashOf(row: number): number {
    return this.#hash(this.#blocks[row >>> BLOCK_BITS] as Uint32Array, (row & IN_BLOCK) * this.words);
  }

  #hash(ids: Uint32Array, at: number): number {
    const keys = this.#keys;
    let hash = keys[this.words] as number;
    for (let i = 0; i < this.words; i++) {
      hash = Math.imul(hash ^ (ids[at + i] as number), keys[i] as number);
      hash ^= hash >>> 15;
    }
    return hash >>> 0;
  }

  #place(slots: Uint32Array, hash: number, row: number): void {
    const mask = slots.length - 1;
    let i = (hash >>> SHARD_BITS) & mask;
    while (slots[i] !== 0) i = (i + 1) & mask;
    slots[i] = ((hash & ~ROW_MASK) | (row + 1)) >>> 0;
  }

  #grow(shard: number): void {
    const old = this.#shards[shard] as Uint32Array;
    const slots = new Uint32Array(old.length * 2);
    for (const slot of old) {
      if (slot === 0) continue;
      const row = (slot & ROW_MASK) - 1;
      this.#place(slots, this.#hashOf(row), row);
    }
    this.#shards[shard] = slots;
  }
}
