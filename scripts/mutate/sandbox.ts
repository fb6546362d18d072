import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync } from 'node:fs';
import { readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { Mutant } from './mutants.ts';

/** Never copied: history, and what the packages are linked for. */
const LEFT_OUT = new Set(['.git', 'node_modules', 'coverage']);

/**
 * A copy of the built project, in memory where there is a file system for that: mutants and what their
 * tests leave behind touch nothing else. Packages are links; AVA's cache beside them is the copy's own.
 */
export class Sandbox {
  readonly root: string;
  /** For the tests' temporary files. */
  readonly temporary: string;

  constructor(project: string) {
    const memory = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
    // Short: paths of Unix sockets end at 108 bytes.
    this.root = realpathSync(mkdtempSync(join(memory, 'mutate-')));
    this.temporary = join(this.root, 'tmp');
    cpSync(project, this.root, { recursive: true, filter: (path) => !LEFT_OUT.has(basename(path)) });
    mkdirSync(this.temporary, { recursive: true });
    mkdirSync(join(this.root, 'node_modules'));
    for (const name of readdirSync(join(project, 'node_modules'))) {
      if (name === '.cache') continue;
      symlinkSync(realpathSync(join(project, 'node_modules', name)), join(this.root, 'node_modules', name));
    }
  }

  /** Puts the mutant in place of the original; the result puts the original back. */
  apply({ file, start, end, text }: Mutant): () => void {
    const path = join(this.root, file);
    const original = readFileSync(path, 'utf8');
    writeFileSync(path, original.slice(0, start) + text + original.slice(end));
    return () => writeFileSync(path, original);
  }

  /** What killed tests left there. */
  clearTemporary(): void {
    rmSync(this.temporary, { recursive: true, force: true });
    mkdirSync(this.temporary);
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true, maxRetries: 3 });
  }
}
