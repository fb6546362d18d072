import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { simErrors } from './errors.ts';
import type { TraceSink } from './wire-log.ts';

/** What a recording was made with: enough to run it again. */
export interface RunOptions {
  readonly scenario: string;
  readonly nodes: number;
  readonly minutes: number;
  readonly seed: number | string;
}

const FORMAT = 'itsgoin-sim-trace/1';
const BUFFER_LINES = 4_096;

/** Writes the run's options and then each line of the trace. */
export function recordTo(file: string, options: RunOptions): TraceSink {
  const handle = openSync(file, 'w');
  let buffer = [JSON.stringify({ format: FORMAT, ...options })];
  const flush = (): void => {
    writeSync(handle, `${buffer.join('\n')}\n`);
    buffer = [];
  };
  return {
    line(text) {
      if (buffer.push(text) >= BUFFER_LINES) flush();
    },
    close() {
      if (buffer.length > 0) flush();
      closeSync(handle);
    },
  };
}

/** Compares a run with a recording, line by line. */
export class Replay implements TraceSink {
  readonly options: RunOptions;
  /** The first line that differs, if any. */
  difference: { readonly line: number; readonly recorded: string; readonly now: string } | undefined;
  /** Hundreds of megabytes: cut into lines as they are needed. */
  readonly #recorded: Buffer;
  #offset = 0;
  #number = 1;

  /** @throws sim/bad-recording */
  constructor(file: string) {
    this.#recorded = readFileSync(file);
    const head = this.#next() ?? '';
    let parsed: Partial<RunOptions & { format: string }> = {};
    try {
      parsed = JSON.parse(head) as typeof parsed;
    } catch {
      // Told below: it has no format either.
    }
    const { format, scenario, nodes, minutes, seed } = parsed;
    if (
      format !== FORMAT ||
      scenario === undefined ||
      nodes === undefined ||
      minutes === undefined ||
      seed === undefined
    ) {
      throw simErrors.make('bad-recording', { file, problem: `its first line is not that of ${FORMAT}` });
    }
    this.options = { scenario, nodes, minutes, seed };
  }

  line(text: string): void {
    if (this.difference !== undefined) return;
    const recorded = this.#next();
    if (recorded !== text) this.#differs(recorded ?? '(the recording ends here)', text);
  }

  close(): void {
    const missing = this.difference === undefined ? this.#next() : undefined;
    if (missing !== undefined) this.#differs(missing, '(this run ends here)');
  }

  #differs(recorded: string, now: string): void {
    this.difference = { line: this.#number - 1, recorded, now };
  }

  #next(): string | undefined {
    const end = this.#recorded.indexOf(0x0a, this.#offset);
    if (end < 0) return undefined;
    const line = this.#recorded.toString('utf8', this.#offset, end);
    this.#offset = end + 1;
    this.#number++;
    return line;
  }
}
