/** Entries kept of one node; the oldest go first. */
const KEPT_LINES = 1_000;

/** One entry of a node's log, as it stands in `node.log`. */
export interface LogLine {
  /** `warn` is 40 and `error` 50, pino's numbers. */
  readonly level: number;
  /** Milliseconds since the epoch, virtual. */
  readonly time: number;
  /** The plugin, or the kernel part as `kernel/<part>`. */
  readonly area: string;
  readonly event: string;
  readonly [field: string]: unknown;
}

/** Where a node writes its log. */
export class LogLines {
  readonly #lines: string[] = [];

  write(line: string): void {
    if (this.#lines.push(line) > KEPT_LINES) this.#lines.shift();
  }

  read(): LogLine[] {
    return this.#lines.map((line) => JSON.parse(line) as LogLine);
  }
}
