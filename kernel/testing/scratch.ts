import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Files in memory, where the system has such a place: a simulated disk should cost no real one. */
const MEMORY_DISK = '/dev/shm';

/** A new directory for simulated disks. Whoever asks for it removes it. */
export function scratchDirectory(prefix: string): string {
  try {
    return mkdtempSync(join(MEMORY_DISK, prefix));
  } catch {
    return mkdtempSync(join(tmpdir(), prefix));
  }
}

export function removeDirectory(path: string): void {
  rmSync(path, { recursive: true, force: true });
}
