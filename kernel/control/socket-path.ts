import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';

/** `sun_path` holds 108 bytes with the closing zero on Linux, 104 on macOS. */
const SOCKET_PATH_MAX_BYTES = process.platform === 'darwin' ? 103 : 107;

/** Names the socket of a data directory whose own path is too long for one. */
const REDIRECT_FILE = 'control.path';

/**
 * Where a node listens: `{data_dir}/control.sock`; a named pipe on Windows; and, where that path is
 * too long for a socket, one in a private temporary directory, recorded in `{data_dir}/control.path`.
 * The caller holds the data directory's lock.
 */
export function claimSocketPath(dataDir: string): { path: string; release(): void } {
  const path = plainPath(dataDir);
  const redirect = join(dataDir, REDIRECT_FILE);
  removeRedirect(redirect);
  if (process.platform === 'win32') return { path, release() {} };
  if (Buffer.byteLength(path) <= SOCKET_PATH_MAX_BYTES) {
    rmSync(path, { force: true });
    return { path, release: () => rmSync(path, { force: true }) };
  }
  const short = join(mkdtempSync(join(tmpdir(), 'itsgoin-')), 'control.sock');
  writeFileSync(redirect, `${short}\n`, { mode: 0o600 });
  return { path: short, release: () => removeRedirect(redirect) };
}

/** Where a client finds the node of a data directory, whether or not one runs. */
export function findSocketPath(dataDir: string): string {
  return readRedirect(join(dataDir, REDIRECT_FILE)) ?? plainPath(dataDir);
}

function plainPath(dataDir: string): string {
  if (process.platform !== 'win32') return join(dataDir, 'control.sock');
  let real = dataDir;
  try {
    real = realpathSync.native(dataDir);
  } catch {
    // A directory that does not exist has no node; the name only has to be well-formed.
  }
  return `\\\\.\\pipe\\itsgoin-${createHash('sha256').update(real.toLowerCase()).digest('hex').slice(0, 32)}`;
}

function readRedirect(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim() || undefined;
  } catch {
    return undefined;
  }
}

function removeRedirect(file: string): void {
  const target = readRedirect(file);
  if (target === undefined) return;
  // Only what an earlier claim made is removed, whatever the file says.
  const folder = dirname(target);
  if (dirname(folder) === tmpdir() && basename(folder).startsWith('itsgoin-') && basename(target) === 'control.sock') {
    rmSync(folder, { recursive: true, force: true });
  }
  rmSync(file, { force: true });
}
