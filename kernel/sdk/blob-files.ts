import type { ChunkSource } from './kit/chunks.ts';
import { defineResource } from './token.ts';

/** BLAKE3 of a blob's bytes, 64 lower-case hex characters (BLOB-01). */
export type Cid = string & { readonly __brand: 'Cid' };

export interface StoredBlob {
  readonly cid: Cid;
  readonly bytes: number;
}

export interface BlobWriteOptions {
  /** The most this blob may have; the first byte beyond it ends the writing. */
  readonly maxBytes: number;
  /** What the bytes must hash to. */
  readonly expectedCid?: Cid;
  /** Ends the writing, also while the source is silent. The caller's deadline is in it. */
  readonly signal: AbortSignal;
}

export interface BlobReadOptions {
  /** First byte to read; default 0. */
  readonly offset?: number;
  /** Bytes to read; default: to the end. */
  readonly length?: number;
  readonly signal?: AbortSignal;
}

/**
 * The node's blobs: files named by the hash of their bytes, each there whole or not at all, whatever
 * crashes. All work is done off the event loop. At most 128 files are open at once for all plugins.
 *
 * What was begun here ends with the generation that began it; what is stored stays.
 *
 * @throws store/bad-cid for a name that is no CID, store/blobs-busy, store/disk-full, store/read-only, store/io-failed
 */
export interface BlobFiles {
  /**
   * Stores what `content` yields, hashing it on the way, and resolves once it is on disk. A blob that is
   * there already is stored again, which is harmless, also at the same time. When it throws, no part of
   * this content is to be seen.
   *
   * @throws store/blob-too-large, store/wrong-cid, kit/empty-chunks, the signal's reason, or what `content` throws
   */
  write(content: ChunkSource, options: BlobWriteOptions): Promise<StoredBlob>;
  /**
   * The bytes asked for in chunks of at most 256 KiB, each of them the caller's: exactly that many, or an error.
   *
   * @throws store/no-blob, store/blob-range, store/blob-damaged, or the signal's reason
   */
  read(cid: Cid, options?: BlobReadOptions): AsyncIterable<Uint8Array>;
  /** Its length; undefined when it is not there. */
  size(cid: Cid): Promise<number | undefined>;
  /** False when it was not there. Who reads it at this moment reads on. */
  delete(cid: Cid): Promise<boolean>;
  /** Every blob, in order of the CIDs' first byte. */
  list(options?: { readonly signal?: AbortSignal }): AsyncIterable<StoredBlob>;
  /** Their number and the sum of their lengths, counted now: some milliseconds for a thousand blobs. */
  usage(options?: { readonly signal?: AbortSignal }): Promise<{ readonly blobs: number; readonly bytes: number }>;
}

export const BLOB_FILES = defineResource<BlobFiles>('blob-files');
