import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import type { Cid } from '../sdk/blob-files.ts';

/** Hashed and written in pieces of this size, so that a large chunk does not stop the event loop. */
const PIECE_BYTES = 256 * 1024;

/** The hash that names blobs, over pieces. Ends with `digestHex` or `dispose`. */
export interface BlobHasher {
  update(bytes: Uint8Array): void;
  digestHex(): string;
  dispose(): void;
}

/** A blob being written, under a name that no reader looks at. Ends with `publish` or `discard`. */
export class BlobDraft {
  bytes = 0;
  readonly #path: string;
  readonly #file: FileHandle;
  readonly #hasher: BlobHasher;
  #hashed: Cid | undefined;

  private constructor(path: string, file: FileHandle, hasher: BlobHasher) {
    this.#path = path;
    this.#file = file;
    this.#hasher = hasher;
  }

  static async create(path: string, hasher: () => BlobHasher): Promise<BlobDraft> {
    return new BlobDraft(path, await open(path, 'wx', 0o600), hasher());
  }

  async append(chunk: Uint8Array): Promise<void> {
    for (let at = 0; at < chunk.length; at += PIECE_BYTES) {
      const piece = chunk.subarray(at, at + PIECE_BYTES);
      this.#hasher.update(piece);
      for (let done = 0; done < piece.length; ) {
        const { bytesWritten } = await this.#file.write(piece, done, piece.length - done);
        done += bytesWritten;
      }
      this.bytes += piece.length;
    }
  }

  /** The hash of all that was appended; nothing is appended after it. */
  cid(): Cid {
    this.#hashed ??= this.#hasher.digestHex() as Cid;
    return this.#hashed;
  }

  /** Makes it the file `to`; `durable`: on disk, file and name, when this resolves. */
  async publish(to: string, toDirectory: string, durable: boolean): Promise<void> {
    if (durable) await this.#file.sync();
    await this.#file.close();
    await rename(this.#path, to);
    if (durable) await syncDirectory(toDirectory);
  }

  /** On a full disk what was written so far takes up room; an error of its own would hide the first one. */
  async discard(): Promise<void> {
    if (this.#hashed === undefined) this.#hasher.dispose();
    await this.#file.close().catch(() => {});
    await rm(this.#path, { force: true }).catch(() => {});
  }
}

/** A name is on disk only when its directory is. Windows cannot open one, and needs not. */
export async function syncDirectory(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
