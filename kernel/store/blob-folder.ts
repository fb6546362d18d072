import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { open, readdir, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { linkSignals } from '../clock/index.ts';
import type { BlobFiles, BlobReadOptions, BlobWriteOptions, Cid, StoredBlob } from '../sdk/blob-files.ts';
import type { Random } from '../sdk/clock.ts';
import { codeOf } from '../sdk/errors.ts';
import { isHexId } from '../sdk/identifiers.ts';
import { untilAborted } from '../sdk/kit/abort.ts';
import { chunksOf, type ChunkSource } from '../sdk/kit/chunks.ts';
import { BlobDraft, type BlobHasher, syncDirectory } from './blob-draft.ts';
import { storeErrors } from './errors.ts';
import { explainFile } from './sqlite-errors.ts';

/** Files of blobs open at once, for reading and writing; one more is refused with store/blobs-busy. */
const OPEN_MAX = 128;
const READ_BYTES = 256 * 1024;
/** Where blobs are while they are written; emptied at start. No shard has this name. */
const DRAFTS = 'incoming';
const ignore = (): void => {};

export interface BlobFolderOptions {
  /** `blobs/` with its 256 shards, of a data directory that is locked for this process. */
  readonly dir: string;
  readonly random: Random;
  readonly hasher: () => BlobHasher;
  /** False: blobs need not survive a crash of the machine. */
  readonly durable: boolean;
}

/** The blobs of one data directory, at `{first two digits}/{cid}`. See {@link BlobFiles}. */
export class BlobFolder {
  readonly #dir: string;
  readonly #options: BlobFolderOptions;
  readonly #ending = new Set<Promise<unknown>>();
  #open = 0;

  /**
   * Removes what an earlier process did not finish writing; at once, like all of a start before the
   * plugins, because a test's clock must not run on while a start waits for the disk.
   *
   * @throws store/read-only, store/disk-full
   */
  constructor(options: BlobFolderOptions) {
    this.#dir = options.dir;
    this.#options = options;
    const drafts = join(options.dir, DRAFTS);
    try {
      mkdirSync(drafts, { recursive: true, mode: 0o700 });
      for (const name of readdirSync(drafts)) rmSync(join(drafts, name), { recursive: true, force: true });
    } catch (error) {
      throw explain(error, drafts);
    }
  }

  /** The blobs for one borrower: reads and writes still under way end when `lifetime` aborts. */
  lend(lifetime: AbortSignal): BlobFiles {
    return Object.freeze<BlobFiles>({
      write: (content, options) => {
        const writing = this.#write(content, options, lifetime);
        this.#track(writing);
        return writing;
      },
      read: (cid, options = {}) => {
        this.#path(cid);
        return this.#read(cid, options, lifetime);
      },
      size: (cid) => this.#size(this.#path(cid)),
      delete: (cid) => this.#delete(cid),
      list: ({ signal } = {}) => this.#list(signal),
      usage: async ({ signal } = {}) => {
        let blobs = 0;
        let bytes = 0;
        for await (const blob of this.#list(signal)) {
          blobs += 1;
          bytes += blob.bytes;
        }
        return { blobs, bytes };
      },
    });
  }

  /** Waits until the files of borrowers whose lifetime has ended are closed. */
  async close(): Promise<void> {
    await Promise.all(this.#ending);
  }

  async #write(
    content: ChunkSource,
    { maxBytes, expectedCid, signal }: BlobWriteOptions,
    lifetime: AbortSignal,
  ): Promise<StoredBlob> {
    if (expectedCid !== undefined) this.#path(expectedCid);
    const linked = linkSignals([signal, lifetime]);
    const release = this.#take();
    const drafts = join(this.#dir, DRAFTS);
    let draft: BlobDraft | undefined;
    try {
      linked.signal.throwIfAborted();
      const name = Buffer.from(this.#options.random.bytes(16)).toString('hex');
      draft = await BlobDraft.create(join(drafts, name), this.#options.hasher);
      for await (const chunk of abortable(content, linked.signal)) {
        if (!(draft.bytes + chunk.length <= maxBytes)) throw storeErrors.make('blob-too-large', { max: maxBytes });
        await draft.append(chunk);
      }
      const cid = draft.cid();
      if (expectedCid !== undefined && cid !== expectedCid) throw storeErrors.make('wrong-cid', { cid, expectedCid });
      await draft.publish(this.#path(cid), this.#shard(cid), this.#options.durable);
      return { cid, bytes: draft.bytes };
    } catch (error) {
      await draft?.discard();
      throw explain(error, drafts);
    } finally {
      linked.dispose();
      release();
    }
  }

  async *#read(
    cid: Cid,
    { offset = 0, length, signal }: BlobReadOptions,
    lifetime: AbortSignal,
  ): AsyncGenerator<Uint8Array> {
    const path = this.#path(cid);
    const linked = linkSignals([signal, lifetime]);
    const release = this.#take();
    let close = async (): Promise<void> => {};
    // A reader that was abandoned half-way must not hold its file for good.
    const onAbort = (): void => this.#track(close().finally(release));
    linked.signal.addEventListener('abort', onAbort);
    try {
      linked.signal.throwIfAborted();
      const file = await open(path, 'r');
      close = () => file.close();
      const { size } = await file.stat();
      const end = length === undefined ? size : offset + length;
      if (!(Number.isSafeInteger(offset) && offset >= 0 && Number.isSafeInteger(end) && end >= offset && end <= size))
        throw storeErrors.make('blob-range', { cid, size, offset, length: end - offset });
      for (let at = offset; at < end; ) {
        const buffer = Buffer.allocUnsafeSlow(Math.min(READ_BYTES, end - at));
        const { bytesRead } = await file.read(buffer, 0, buffer.length, at);
        linked.signal.throwIfAborted();
        if (bytesRead === 0) throw storeErrors.make('blob-damaged', { cid });
        at += bytesRead;
        yield buffer.subarray(0, bytesRead);
      }
    } catch (error) {
      linked.signal.throwIfAborted();
      throw codeOf(error) === 'ENOENT' ? storeErrors.make('no-blob', { cid }, error) : explain(error, path);
    } finally {
      linked.signal.removeEventListener('abort', onAbort);
      linked.dispose();
      await close();
      release();
    }
  }

  async #size(path: string): Promise<number | undefined> {
    try {
      return (await stat(path)).size;
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined;
      throw explain(error, path);
    }
  }

  async #delete(cid: Cid): Promise<boolean> {
    const path = this.#path(cid);
    try {
      await unlink(path);
      if (this.#options.durable) await syncDirectory(this.#shard(cid));
      return true;
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return false;
      throw explain(error, path);
    }
  }

  async *#list(signal: AbortSignal | undefined): AsyncGenerator<StoredBlob> {
    for (let shard = 0; shard < 256; shard++) {
      signal?.throwIfAborted();
      const cids = await this.#cids(join(this.#dir, shard.toString(16).padStart(2, '0')));
      const sizes = await Promise.all(cids.map((cid) => this.#size(this.#path(cid))));
      for (const [index, cid] of cids.entries()) {
        const bytes = sizes[index];
        // One that was deleted meanwhile is no error.
        if (bytes !== undefined) yield { cid, bytes };
      }
    }
  }

  async #cids(shard: string): Promise<Cid[]> {
    try {
      return (await readdir(shard)).filter((name): name is Cid => isHexId(name));
    } catch (error) {
      throw explain(error, shard);
    }
  }

  #shard(cid: Cid): string {
    return join(this.#dir, cid.slice(0, 2));
  }

  /** The only place where a name becomes a path. */
  #path(cid: Cid): string {
    if (typeof cid !== 'string' || !isHexId(cid)) throw storeErrors.make('bad-cid', { cid: String(cid).slice(0, 80) });
    return join(this.#shard(cid), cid);
  }

  #track(work: Promise<unknown>): void {
    const ended = work.then(ignore, ignore).finally(() => this.#ending.delete(ended));
    this.#ending.add(ended);
  }

  /** One of the files that may be open. The returned function may be called twice. */
  #take(): () => void {
    if (this.#open >= OPEN_MAX) throw storeErrors.make('blobs-busy', { limit: OPEN_MAX });
    this.#open++;
    let held = true;
    return () => {
      if (held) this.#open--;
      held = false;
    };
  }
}

/** What a source yields, until the signal aborts. A source that hangs is left to itself. */
async function* abortable(content: ChunkSource, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const source = chunksOf(content);
  let ended = false;
  try {
    for (;;) {
      const next = await untilAborted(source.next(), signal);
      ended = next.done === true;
      if (next.done) return;
      yield next.value;
    }
  } finally {
    if (!ended) source.return?.().catch(() => {});
  }
}

function explain(error: unknown, path: string): unknown {
  const code = codeOf(error);
  if (code === 'EMFILE' || code === 'ENFILE') return storeErrors.make('blobs-busy', { limit: OPEN_MAX }, error);
  if (code === 'EIO') return storeErrors.make('io-failed', { path, detail: code }, error);
  return explainFile(error, path) ?? error;
}
