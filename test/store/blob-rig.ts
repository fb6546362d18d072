import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { seededRandom } from '../../kernel/clock/index.ts';
import { blake3Hasher } from '../../kernel/identity/index.ts';
import type { BlobFiles, BlobReadOptions, Cid, StoredBlob } from '../../kernel/sdk/blob-files.ts';
import { BlobFolder, prepareDataDirectory } from '../../kernel/store/index.ts';

export const NEVER: AbortSignal = new AbortController().signal;
const WRITE_MAX_BYTES = 64 * 1024 * 1024;

/** The blobs of one data directory, lent to one generation. */
export interface BlobRig {
  readonly blobs: BlobFiles;
  /** `blobs/` */
  readonly dir: string;
  readonly folder: BlobFolder;
  readonly generation: AbortController;
}

export async function openBlobs(dataDir: string): Promise<BlobRig> {
  const dir = prepareDataDirectory(dataDir).blobs;
  const folder = new BlobFolder({ dir, random: seededRandom(1), durable: true, hasher: blake3Hasher });
  const generation = new AbortController();
  return { blobs: folder.lend(generation.signal), dir, folder, generation };
}

/** What is being written, or was left behind. */
export function draftsOf(rig: BlobRig): string[] {
  return readdirSync(join(rig.dir, 'incoming'));
}

export function writeBlob(rig: BlobRig, ...chunks: Uint8Array[]): Promise<StoredBlob> {
  return rig.blobs.write(chunks, { maxBytes: WRITE_MAX_BYTES, signal: NEVER });
}

export async function readBlob(rig: BlobRig, cid: Cid, options: BlobReadOptions = {}): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of rig.blobs.read(cid, options)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** A prime number of random bytes over and over: nearly as good, and fast. */
export function bytesOf(seed: number, length: number): Buffer {
  return Buffer.alloc(length, seededRandom(seed).bytes(4_093));
}
