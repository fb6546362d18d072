import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import type { Random } from '../../kernel/sdk/clock.ts';

// As in record.c.
const WRITE = 1;
const TRUNCATE = 2;
const SYNC_BEGIN = 3;
const SYNC_END = 4;
const DATABASE = 1;
const LOG = 2;
const NOTES = { acks: 3, commits: 4 };
const MAIN_THREAD = 1;
const FDATASYNC = 2;
const ENTRY_BYTES = 16;
const SECTOR = 512;

export interface Entry {
  readonly kind: number;
  readonly file: number;
  readonly flags: number;
  /** A size for a truncation, and the number of the sync for both of its ends. */
  readonly offset: number;
  readonly data: Buffer;
}

/** What is taken for granted when the power goes. */
export interface Assumptions {
  /** Rows in this file must be there. Default `acks`. */
  readonly promised?: keyof typeof NOTES;
  /** Syncs that never reached the disk, as a control. */
  readonly lostSyncs?: (entry: Entry) => boolean;
}

export interface Damage {
  /** Cuts after which a row that was promised was missing. */
  lost: number;
  /** Cuts after which the database was not whole. */
  corrupt: number;
}

export function readRecording(path: string): Entry[] {
  const bytes = readFileSync(path);
  const entries: Entry[] = [];
  for (let at = 0; at + ENTRY_BYTES <= bytes.length; ) {
    const length = bytes.readUInt32LE(at + 4);
    const start = at + ENTRY_BYTES;
    entries.push({
      kind: bytes.readUInt8(at),
      file: bytes.readUInt8(at + 1),
      flags: bytes.readUInt16LE(at + 2),
      offset: Number(bytes.readBigUInt64LE(at + 8)),
      data: bytes.subarray(start, start + length),
    });
    at = start + length;
  }
  return entries;
}

/** Syncs that SQLite made, for whom a loss of power must not mix up the order of its writes. */
export const isSqlites = ({ flags }: Entry): boolean => (flags & FDATASYNC) === 0;

/** What the event loop's thread waited for once rows were acknowledged. */
export function loopSyncs(entries: readonly Entry[]): { ofLog: number; ofDatabase: number; logStarts: number } {
  const work = entries.slice(entries.findIndex(({ file }) => file === NOTES.acks));
  const onLoop = work.filter(({ kind, flags }) => kind === SYNC_BEGIN && (flags & MAIN_THREAD) !== 0);
  return {
    ofLog: onLoop.filter(({ file }) => file === LOG).length,
    ofDatabase: onLoop.filter(({ file }) => file === DATABASE).length,
    logStarts: work.filter(({ kind, file, offset }) => kind === WRITE && file === LOG && offset === 0).length,
  };
}

/**
 * Cuts the power at random moments of a recording. Of what was not synced by then nothing, all, half of the writes
 * or some sectors of each had reached the disk; then SQLite opens what is left.
 */
export function cutPower(
  entries: readonly Entry[],
  { cuts, random, dir, ...assumptions }: Assumptions & { cuts: number; random: Random; dir: string },
): Damage {
  const first = entries.findIndex(({ file }) => file === NOTES.acks);
  const damage = { lost: 0, corrupt: 0 };
  for (let cut = 0; cut < cuts; cut++) {
    const past = entries.slice(0, first + random.integer(entries.length - first));
    const { promised, durableTo } = known(past, assumptions);
    const database = new DiskFile();
    const log = new DiskFile();
    past.forEach((entry, index) => {
      const file = entry.file === DATABASE ? database : entry.file === LOG ? log : undefined;
      if (file === undefined) return;
      if (index < (durableTo.get(entry.file) ?? 0)) file.apply(entry);
      else file.applyPerhaps(entry, cut % 4, random);
    });
    const path = join(dir, 'cut.db');
    for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix, { force: true });
    writeFileSync(path, database.content);
    writeFileSync(`${path}-wal`, log.content);
    const found = rowsOf(path);
    if (found === undefined) damage.corrupt += 1;
    else if (promised.some((row) => !found.has(row))) damage.lost += 1;
  }
  return damage;
}

/** What had been promised by then, and before which entry each file was surely on the disk. */
function known(past: readonly Entry[], { promised = 'acks', lostSyncs = () => false }: Assumptions) {
  const rows: number[] = [];
  const begun = new Map<number, number>();
  const durableTo = new Map<number, number>();
  past.forEach((entry, index) => {
    const { kind, file, offset, data } = entry;
    if (file === NOTES[promised]) rows.push(...data.toString().trim().split('\n').map(Number));
    if (kind === SYNC_BEGIN) begun.set(offset, index);
    if (kind === SYNC_END && !lostSyncs(entry))
      durableTo.set(file, Math.max(durableTo.get(file) ?? 0, begun.get(offset) ?? 0));
  });
  return { promised: rows, durableTo };
}

/** `undefined` when the database is damaged. */
function rowsOf(path: string): Set<number> | undefined {
  let db: Sqlite.Database | undefined;
  try {
    db = new Sqlite(path);
    if (db.pragma('integrity_check', { simple: true }) !== 'ok') return undefined;
    return new Set((db.prepare('SELECT n FROM notes').all() as { n: number }[]).map(({ n }) => n));
  } catch {
    return undefined;
  } finally {
    db?.close();
  }
}

class DiskFile {
  #bytes = Buffer.alloc(1 << 20);
  #size = 0;

  get content(): Buffer {
    return this.#bytes.subarray(0, this.#size);
  }

  apply({ kind, offset, data }: Entry): void {
    if (kind === WRITE) this.#write(offset, data);
    if (kind === TRUNCATE) this.#resize(offset);
  }

  /** `mode`: none of it, all, half of the writes, or some sectors of each. */
  applyPerhaps(entry: Entry, mode: number, random: Random): void {
    if (mode === 0 || (mode === 2 && random.float() < 0.5)) return;
    if (mode !== 3 || entry.kind !== WRITE || entry.data.length <= SECTOR) {
      this.apply(entry);
      return;
    }
    for (let at = 0; at < entry.data.length; at += SECTOR) {
      if (random.float() < 0.6) this.#write(entry.offset + at, entry.data.subarray(at, at + SECTOR));
    }
  }

  #write(offset: number, data: Buffer): void {
    const end = offset + data.length;
    if (end > this.#bytes.length) this.#bytes = Buffer.concat([this.#bytes], Math.max(end, this.#bytes.length * 2));
    if (end > this.#size) this.#resize(end);
    data.copy(this.#bytes, offset);
  }

  #resize(size: number): void {
    if (size > this.#bytes.length) this.#bytes = Buffer.concat([this.#bytes], size);
    if (size > this.#size) this.#bytes.fill(0, this.#size, size);
    this.#size = size;
  }
}
