import { appendFileSync, cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findPlugins } from '../../kernel/lifecycle/loader.ts';
import { startNode } from '../../kernel/node.ts';

const PLUGINS = fileURLToPath(new URL('../../plugins', import.meta.url));
const ROUNDS = 30;

export interface ReloadFigures {
  readonly plugin: string;
  /** The same code again: what a config change costs. */
  readonly sameMs: { readonly median: number; readonly max: number };
  /** Changed code, evaluated from disk. */
  readonly changedMs: { readonly median: number; readonly max: number };
  /** How long its messages were held, at most. */
  readonly heldMs: number;
  /** The reference: importing a changed copy of its code, which any reload has to do. */
  readonly importMs: number;
}

/** Reloads of every plugin of a node without load. */
export async function measureReload(): Promise<ReloadFigures[]> {
  const dir = mkdtempSync(join(tmpdir(), 'itsgoin-bench-reload-'));
  const copies = `${PLUGINS}-bench-${process.pid}`;
  const node = await startNode({ dataDir: dir, bind: '127.0.0.1:0', attended: false, logLevel: 'error' });
  try {
    const figures: ReloadFigures[] = [];
    cpSync(PLUGINS, copies, { recursive: true });
    for (const path of findPlugins(copies)) {
      const name = basename(path);
      const same: number[] = [];
      const changed: number[] = [];
      const imports: number[] = [];
      let heldMs = 0;
      for (let round = 0; round < ROUNDS; round++) {
        const again = await node.host.reload(name);
        appendFileSync(join(path, 'plugin.js'), `\n// ${round}\n`);
        const startedMs = performance.now();
        await import(`${join(path, 'plugin.js')}?bench=${round}`);
        imports.push(performance.now() - startedMs);
        const other = await node.host.replace(name, path);
        if (again.outcome !== 'committed' || other.outcome !== 'committed') throw new Error(`${name}: ${other.reason}`);
        same.push(again.totalMs);
        changed.push(other.totalMs);
        heldMs = Math.max(heldMs, again.heldMs, other.heldMs);
      }
      figures.push({
        plugin: name,
        sameMs: summary(same),
        changedMs: summary(changed),
        heldMs,
        importMs: summary(imports).median,
      });
    }
    return figures;
  } finally {
    await node.stop();
    rmSync(dir, { recursive: true, force: true });
    rmSync(copies, { recursive: true, force: true });
  }
}

function summary(values: readonly number[]): { median: number; max: number } {
  const sorted = values.toSorted((a, b) => a - b);
  return { median: sorted[sorted.length >> 1] as number, max: sorted.at(-1) as number };
}
