import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { systemRandom } from '../clock/random.ts';
import type { Random } from '../sdk/clock.ts';
import { codeOf } from '../sdk/errors.ts';
import type { DeviceId, NodeId, PeerId } from '../sdk/identifiers.ts';
import type { Log } from '../sdk/log.ts';
import { writeFileAtomic } from '../store/atomic-file.ts';
import { dataPaths } from '../store/data-directory.ts';
import { privateKeyOf, rawPublicKey } from './ed25519-keys.ts';
import { identityErrors } from './errors.ts';
import { signMessage } from './signature.ts';

export const SEED_BYTES = 32;

/** Who this node is. Seeds stay within the kernel. */
export interface Identity {
  readonly self: PeerId;
  readonly nodeId: NodeId;
  readonly deviceId: DeviceId;
  readonly identitySeed: Uint8Array;
  readonly deviceSeed: Uint8Array;
  /** Signs as the identity. @throws identity/bad-domain */
  sign(domain: string, bytes: Uint8Array): Uint8Array;
}

export interface IdentityOptions {
  readonly random?: Random;
  readonly log?: Log;
}

/** The path of the identity's seed: raw 32 bytes, mode 0600 (ID-01). */
export function identityPath(dataDir: string): string {
  return join(dataDir, 'identity.key');
}

/**
 * Reads `identity.key` and `device.key`, making what is absent (ID-01, ID-02). A file that is there
 * but cannot be used is an error, never a reason to become somebody else.
 *
 * @throws identity/bad-key-file, identity/unreadable, store/read-only, store/disk-full
 */
export function loadIdentity(dataDir: string, options: IdentityOptions = {}): Identity {
  const { random = systemRandom(), log } = options;
  const path = identityPath(dataDir);
  if (!existsSync(path) && existsSync(dataPaths(dataDir).database)) {
    log?.warn('new-identity-for-old-data', {
      path,
      hint: 'identity.key was missing; what is stored belongs to the former identity',
    });
  }
  const identitySeed = loadSeed(path, random, log);
  const deviceSeed = loadSeed(join(dataDir, 'device.key'), random, log);
  return identityOf(identitySeed, deviceSeed);
}

/** The identity of two given seeds, for tests and simulations. */
export function identityOf(identitySeed: Uint8Array, deviceSeed: Uint8Array): Identity {
  const key = privateKeyOf(identitySeed);
  const nodeId = rawPublicKey(key).toString('hex') as NodeId;
  const deviceId = rawPublicKey(privateKeyOf(deviceSeed)).toString('hex') as DeviceId;
  return {
    self: Object.freeze({ nodeId, deviceId }),
    nodeId,
    deviceId,
    identitySeed,
    deviceSeed,
    sign: (domain, bytes) => signMessage(key, domain, bytes),
  };
}

/** The seed in a key file, or `undefined` when there is no such file. @throws identity/bad-key-file, identity/unreadable */
export function readSeed(path: string, log?: Log): Uint8Array | undefined {
  let seed: Uint8Array;
  try {
    seed = readFileSync(path);
    if (process.platform !== 'win32' && (statSync(path).mode & 0o077) !== 0) {
      log?.warn('key-file-open-to-others', { path, hint: `chmod 600 ${path}` });
    }
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw identityErrors.make('unreadable', { path, detail: codeOf(error) }, error);
  }
  if (seed.length !== SEED_BYTES) throw identityErrors.make('bad-key-file', { path, bytes: seed.length });
  return seed;
}

function loadSeed(path: string, random: Random, log: Log | undefined): Uint8Array {
  const present = readSeed(path, log);
  if (present !== undefined) return present;
  const seed = random.bytes(SEED_BYTES);
  writeFileAtomic(path, seed);
  log?.info('key-made', { path });
  return seed;
}
