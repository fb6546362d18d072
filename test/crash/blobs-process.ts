import { setImmediate as turn } from 'node:timers/promises';
import { seededRandom, systemRandom } from '../../kernel/clock/index.ts';
import { blake3Hasher } from '../../kernel/identity/index.ts';
import { BlobFolder, lockDataDirectory, prepareDataDirectory } from '../../kernel/store/index.ts';

// Run by the tests as `node blobs-process.js <data dir>`; prints the CID of each blob once it is stored.
const dir = process.argv[2] as string;
lockDataDirectory(dir);
const random = systemRandom();
const folder = new BlobFolder({
  dir: prepareDataDirectory(dir).blobs,
  random,
  durable: true,
  hasher: blake3Hasher,
});
const signal = new AbortController().signal;
const blobs = folder.lend(signal);

/** Up to 1.5 MiB in chunks, with the loop free between them, so that kills come in the middle. */
async function* content(): AsyncGenerator<Uint8Array> {
  const pattern = seededRandom(random.integer(2 ** 32)).bytes(4_093);
  for (let left = random.integer(12); left >= 0; left--) {
    await turn();
    yield Buffer.alloc(1 + random.integer(128 * 1024), pattern);
  }
}

async function write(): Promise<never> {
  for (;;) {
    const { cid } = await blobs.write(content(), { maxBytes: 2 ** 21, signal });
    process.stdout.write(`${cid}\n`);
  }
}

await Promise.all(Array.from({ length: 8 }, write));
