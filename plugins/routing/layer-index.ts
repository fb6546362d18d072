import type { Random } from '../../kernel/index.ts';
import { BLOCK_ROWS, IdTable } from './id-table.ts';

const WORD_BITS = 32;

/** What {@link LayerIndex.add} did. */
export type Added = 'new' | 'known' | 'full';

/**
 * One layer of knowledge: which reporters have which ids. Each id has a row of bits, one for each
 * reporter's number; an id that nobody reports any more is gone.
 */
export class LayerIndex {
  readonly #table: IdTable;
  readonly #rowsMax: number;
  /** Blocks of bit rows, parallel to the table's blocks. */
  #bits: Uint32Array[] = [];
  /** Words of a bit row; doubles when a reporter's number does not fit. */
  #width = 1;
  /** Ids by reporter number. */
  #counts: number[] = [];
  #version = 0;

  constructor(words: number, rowsMax: number, random: Random) {
    this.#table = new IdTable(words, random);
    this.#rowsMax = rowsMax;
  }

  get size(): number {
    return this.#table.size;
  }

  /** Counts changes of which ids there are. */
  get version(): number {
    return this.#version;
  }

  get bytes(): number {
    return this.#table.bytes + this.#bits.length * BLOCK_ROWS * this.#width * 4;
  }

  /** How many ids this reporter has. */
  count(reporter: number): number {
    return this.#counts[reporter] ?? 0;
  }

  has(ids: Uint32Array, at: number): boolean {
    return this.#table.find(ids, at) >= 0;
  }

  isReportedBy(reporter: number, ids: Uint32Array, at: number): boolean {
    const row = this.#table.find(ids, at);
    return row >= 0 && this.#isSet(row, reporter);
  }

  /** The numbers of those who report the id, lowest first. */
  reporters(ids: Uint32Array, at: number): number[] {
    const row = this.#table.find(ids, at);
    const found: number[] = [];
    if (row < 0) return found;
    const block = this.#blockOf(row);
    const start = this.#startOf(row);
    for (let i = 0; i < this.#width; i++) {
      for (let word = block[start + i] as number; word !== 0; word &= word - 1) {
        found.push(i * WORD_BITS + (WORD_BITS - 1 - Math.clz32(word & -word)));
      }
    }
    return found;
  }

  /** `full` when the id is new and there is no row for it. */
  add(reporter: number, ids: Uint32Array, at: number): Added {
    let row = this.#table.find(ids, at);
    if (row < 0) {
      if (this.#table.size >= this.#rowsMax) return 'full';
      row = this.#table.add(ids, at);
      if (row >= this.#bits.length * BLOCK_ROWS) this.#bits.push(new Uint32Array(BLOCK_ROWS * this.#width));
      this.#version++;
    } else if (this.#isSet(row, reporter)) return 'known';
    while (reporter >= this.#width * WORD_BITS) this.#widen();
    const word = this.#startOf(row) + (reporter >>> 5);
    const block = this.#blockOf(row);
    block[word] = ((block[word] as number) | (1 << (reporter & 31))) >>> 0;
    this.#counts[reporter] = this.count(reporter) + 1;
    return 'new';
  }

  /** False when this reporter does not have it. */
  remove(reporter: number, ids: Uint32Array, at: number): boolean {
    const row = this.#table.find(ids, at);
    if (row < 0 || !this.#isSet(row, reporter)) return false;
    this.#unset(row, reporter);
    return true;
  }

  /** Takes this reporter out of every row. */
  clear(reporter: number): void {
    for (let row = 0; this.count(reporter) > 0 && row < this.#table.rows; row++) {
      if (this.#isSet(row, reporter)) this.#unset(row, reporter);
    }
  }

  /** Calls `visit` with each row's id, copied to `scratch`, and the number of its reporters. */
  forEach(scratch: Uint32Array, visit: (reporterCount: number) => void): void {
    for (let row = 0; row < this.#table.rows; row++) {
      const reporters = this.#population(row);
      if (reporters === 0) continue;
      this.#table.read(row, scratch, 0);
      visit(reporters);
    }
  }

  /** Copies the id of the first row in use from a random place on to `scratch`; false when there is none. */
  pick(random: Random, scratch: Uint32Array): boolean {
    const { rows } = this.#table;
    const start = rows === 0 ? 0 : random.integer(rows);
    for (let i = 0; i < rows; i++) {
      const row = (start + i) % rows;
      if (this.#population(row) === 0) continue;
      this.#table.read(row, scratch, 0);
      return true;
    }
    return false;
  }

  /** The ids of one reporter, one after the other. */
  idsOf(reporter: number): Uint32Array {
    const { words } = this.#table;
    const ids = new Uint32Array(this.count(reporter) * words);
    let at = 0;
    for (let row = 0; at < ids.length && row < this.#table.rows; row++) {
      if (!this.#isSet(row, reporter)) continue;
      this.#table.read(row, ids, at);
      at += words;
    }
    return ids;
  }

  #population(row: number): number {
    const block = this.#blockOf(row);
    const start = this.#startOf(row);
    let bits = 0;
    for (let i = 0; i < this.#width; i++) {
      for (let word = block[start + i] as number; word !== 0; word &= word - 1) bits++;
    }
    return bits;
  }

  #unset(row: number, reporter: number): void {
    const block = this.#blockOf(row);
    const start = this.#startOf(row);
    const word = start + (reporter >>> 5);
    block[word] = ((block[word] as number) & ~(1 << (reporter & 31))) >>> 0;
    this.#counts[reporter] = this.count(reporter) - 1;
    for (let i = 0; i < this.#width; i++) if (block[start + i] !== 0) return;
    this.#table.remove(row);
    this.#version++;
  }

  #isSet(row: number, reporter: number): boolean {
    if (reporter >= this.#width * WORD_BITS) return false;
    const word = this.#blockOf(row)[this.#startOf(row) + (reporter >>> 5)] as number;
    return (word & (1 << (reporter & 31))) !== 0;
  }

  #blockOf(row: number): Uint32Array {
    return this.#bits[Math.floor(row / BLOCK_ROWS)] as Uint32Array;
  }

  #startOf(row: number): number {
    return (row % BLOCK_ROWS) * this.#width;
  }

  #widen(): void {
    const width = this.#width * 2;
    this.#bits = this.#bits.map((block) => {
      const wide = new Uint32Array(BLOCK_ROWS * width);
      for (let row = 0; row < BLOCK_ROWS; row++) {
        for (let i = 0; i < this.#width; i++) wide[row * width + i] = block[row * this.#width + i] as number;
      }
      return wide;
    });
    this.#width = width;
  }
}
