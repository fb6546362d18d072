import { hexSchema } from '../sdk/kit/ids.ts';
import { scrypt } from 'node:crypto';
import { copyFileSync } from 'node:fs';
import { Type, Compile } from '../sdk/typebox.ts';
import { systemRandom } from '../clock/random.ts';
import type { Random } from '../sdk/clock.ts';
import { codeOf } from '../sdk/errors.ts';
import type { NodeId } from '../sdk/identifiers.ts';
import { writeFileAtomic } from '../store/atomic-file.ts';
import { aead, AEAD_NONCE_BYTES, AEAD_TAG_BYTES } from './aead.ts';
import { privateKeyOf, rawPublicKey } from './ed25519-keys.ts';
import { identityErrors } from './errors.ts';
import { blake3Hex } from './hash.ts';
import { identityPath, readSeed, SEED_BYTES } from './keys.ts';

const FORMAT = 'itsgoin-identity';
const VERSION = 1;

/** scrypt cost: 2^17 · 8 · 128 = 128 MiB and about 0.4 s a guess (OWASP's first choice for scrypt). */
const SCRYPT = { n: 2 ** 17, r: 8, p: 1 } as const;
/** The most an imported text may ask of us: 512 MiB. */
const SCRYPT_N_MAX = 2 ** 19;
const SALT_BYTES = 16;
export const PASSPHRASE_MIN_CHARACTERS = 8;
/** An export is about 500 characters. */
const TEXT_MAX_CHARACTERS = 4_096;

const Sealed = Compile(
  Type.Object({
    format: Type.Literal(FORMAT),
    version: Type.Literal(VERSION),
    node_id: hexSchema(32),
    scrypt: Type.Object({
      n: Type.Integer({ minimum: 2 ** 14, maximum: SCRYPT_N_MAX }),
      r: Type.Literal(SCRYPT.r),
      p: Type.Literal(SCRYPT.p),
      salt: hexSchema(SALT_BYTES),
    }),
    nonce: hexSchema(AEAD_NONCE_BYTES),
    sealed: hexSchema(SEED_BYTES + AEAD_TAG_BYTES),
    checksum: hexSchema(8),
  }),
);

/** Everything but the sealed seed; authenticated with it. */
interface Header {
  readonly format: typeof FORMAT;
  readonly version: typeof VERSION;
  readonly node_id: string;
  readonly scrypt: { readonly n: number; readonly r: number; readonly p: number; readonly salt: string };
  readonly nonce: string;
}

/**
 * The identity as a text to keep elsewhere: JSON, its seed under ChaCha20-Poly1305 with a key that
 * scrypt makes of the passphrase. The checksum tells a damaged text from a wrong passphrase.
 *
 * @throws identity/bad-passphrase
 */
export async function exportIdentity(
  identitySeed: Uint8Array,
  passphrase: string,
  options: { readonly random?: Random } = {},
): Promise<string> {
  if ([...passphrase].length < PASSPHRASE_MIN_CHARACTERS) {
    throw identityErrors.make('bad-passphrase', { minimum: PASSPHRASE_MIN_CHARACTERS });
  }
  const random = options.random ?? systemRandom();
  const header: Header = {
    format: FORMAT,
    version: VERSION,
    node_id: nodeIdOf(identitySeed),
    scrypt: { ...SCRYPT, salt: hex(random.bytes(SALT_BYTES)) },
    nonce: hex(random.bytes(AEAD_NONCE_BYTES)),
  };
  const key = await stretch(passphrase, header.scrypt);
  const sealed = hex(aead.encrypt(key, Buffer.from(header.nonce, 'hex'), headerBytes(header), identitySeed));
  return `${JSON.stringify({ ...header, sealed, checksum: checksumOf(header, sealed) }, null, 2)}\n`;
}

/**
 * The seed in an exported text.
 *
 * @throws identity/not-an-export, identity/export-newer, identity/export-damaged, identity/wrong-passphrase
 */
export async function openExport(text: string, passphrase: string): Promise<Uint8Array> {
  const { sealed, checksum, ...header } = parse(text);
  if (checksum !== checksumOf(header, sealed)) throw identityErrors.make('export-damaged');
  const key = await stretch(passphrase, header.scrypt);
  const seed = aead.decrypt(key, Buffer.from(header.nonce, 'hex'), headerBytes(header), Buffer.from(sealed, 'hex'));
  if (seed === undefined) throw identityErrors.make('wrong-passphrase');
  if (nodeIdOf(seed) !== header.node_id) throw identityErrors.make('export-damaged');
  return seed;
}

export interface ImportResult {
  readonly nodeId: NodeId;
  /** Where the replaced key was kept, if there was one. */
  readonly backup: string | undefined;
  /** False when the directory had this identity already. A running node changes at its next start. */
  readonly changed: boolean;
}

/**
 * Makes the exported identity that of the data directory. The device key stays: it belongs to the
 * installation. What is stored of a former identity stays too.
 *
 * @throws identity/other-identity unless `force`, and what {@link openExport} throws
 */
export async function importIdentity(
  dataDir: string,
  text: string,
  passphrase: string,
  options: { readonly force?: boolean } = {},
): Promise<ImportResult> {
  const seed = await openExport(text, passphrase);
  const nodeId = nodeIdOf(seed);
  const path = identityPath(dataDir);
  const present = presentId(path, options.force === true);
  if (present === nodeId) return { nodeId, backup: undefined, changed: false };
  let backup: string | undefined;
  if (present !== undefined) {
    if (options.force !== true) throw identityErrors.make('other-identity', { node_id: present });
    backup = `${path}.${present.slice(0, 16)}.backup`;
    copyFileSync(path, backup);
  }
  writeFileAtomic(path, seed);
  return { nodeId, backup, changed: true };
}

/** Whose key the file holds. With `force` a damaged one may be replaced too, which is how it is repaired. */
function presentId(path: string, force: boolean): string | undefined {
  try {
    const seed = readSeed(path);
    return seed === undefined ? undefined : nodeIdOf(seed);
  } catch (error) {
    if (force && codeOf(error) === identityErrors.code('bad-key-file')) return 'damaged';
    throw error;
  }
}

function parse(text: string) {
  let value: unknown;
  try {
    value = text.length <= TEXT_MAX_CHARACTERS ? JSON.parse(text) : undefined;
  } catch (error) {
    // Text that still names the format was one of ours before something cut or changed it.
    throw identityErrors.make(text.includes(FORMAT) ? 'export-damaged' : 'not-an-export', {}, error);
  }
  if (typeof value !== 'object' || value === null || !('format' in value) || value.format !== FORMAT) {
    throw identityErrors.make('not-an-export');
  }
  if ('version' in value && typeof value.version === 'number' && value.version > VERSION) {
    throw identityErrors.make('export-newer', { version: value.version });
  }
  if (!Sealed.Check(value)) throw identityErrors.make('export-damaged');
  return value;
}

function stretch(passphrase: string, { n, r, p, salt }: Header['scrypt']): Promise<Buffer> {
  const options = { N: n, r, p, maxmem: 2 * 128 * n * r };
  // NFKC: the same passphrase typed on another system's keyboard may come as other code points.
  return new Promise((resolve, reject) => {
    scrypt(passphrase.normalize('NFKC'), Buffer.from(salt, 'hex'), 32, options, (error, key) =>
      error === null ? resolve(key) : reject(error),
    );
  });
}

function headerBytes({ format, version, node_id, scrypt: { n, r, p, salt }, nonce }: Header): Buffer {
  return Buffer.from(JSON.stringify([format, version, node_id, n, r, p, salt, nonce]));
}

function checksumOf(header: Header, sealed: string): string {
  return blake3Hex(Buffer.concat([headerBytes(header), Buffer.from(sealed)])).slice(0, 16);
}

function nodeIdOf(seed: Uint8Array): NodeId {
  return hex(rawPublicKey(privateKeyOf(seed))) as NodeId;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
