import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';

/** A directory of the test's own, removed when the test ends. */
export function temporaryDirectory(t: ExecutionContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'itsgoin-test-'));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}
