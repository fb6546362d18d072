import fs, { type NoParamCallback } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import type { ExecutionContext } from 'ava';

/** One sync of a file that the test decides about. */
export interface HeldSync {
  /** The disk has it. */
  finish(): void;
  fail(message: string): void;
}

/** Every `fdatasync` of this process waits here until the test ends it. For tests that run alone. */
export function holdSyncs(t: ExecutionContext): HeldSync[] {
  const { fdatasync } = fs;
  const held: HeldSync[] = [];
  const hold = (file: number, callback: NoParamCallback): void => {
    held.push({
      finish: () => fdatasync(file, callback),
      fail: (message) => callback(Object.assign(new Error(message), { code: 'EIO' })),
    });
  };
  fs.fdatasync = Object.assign(hold, { __promisify__: fdatasync.__promisify__ });
  syncBuiltinESMExports();
  t.teardown(() => {
    fs.fdatasync = fdatasync;
    syncBuiltinESMExports();
  });
  return held;
}
