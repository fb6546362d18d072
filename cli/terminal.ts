import { addAbortSignal } from 'node:stream';
import { cliErrors } from './errors.ts';
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';

/** Where the command line reads and writes. The REPL and tests bring their own. */
export interface Terminal {
  /** A person can be asked. */
  readonly interactive: boolean;
  readonly columns: number;
  /** What is printed goes to a file or a program: nothing is cut to fit. */
  readonly wide: boolean;
  out(text: string): void;
  err(text: string): void;
  /** One line typed by the person; not shown when `hidden`. Rejects when `signal` aborts. */
  ask(question: string, options: { hidden?: boolean; signal: AbortSignal }): Promise<string>;
  /** All that comes by standard input, to its end. Absent where that is this terminal's own. @throws cli/input-too-long, or when `signal` aborts */
  readAll?(signal: AbortSignal): Promise<string>;
  /** Shows the state of long work in place; an empty text clears it. */
  status(text: string): void;
}

const COLUMNS_DEFAULT = 80;
/** Far more than any text that a command takes. */
const INPUT_MAX_BYTES = 1024 * 1024;

export function processTerminal(): Terminal {
  const { stdin, stdout, stderr } = process;
  // A reader that leaves early (`| head`) is no error.
  stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
  let shown = false;
  return {
    interactive: stdin.isTTY === true && stderr.isTTY === true,
    columns: stdout.columns || COLUMNS_DEFAULT,
    wide: stdout.isTTY !== true,
    out: (text) => void stdout.write(`${text}\n`),
    err: (text) => void stderr.write(`${text}\n`),
    async ask(question, { hidden = false, signal }) {
      stderr.write(question);
      const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
      const reader = createInterface({ input: stdin, output: hidden ? silent : stderr, terminal: true });
      try {
        const aborted = new AbortController();
        // In raw mode Ctrl-C is a key: the reader tells, and the process gets it as the signal it means.
        reader.on('SIGINT', () => {
          aborted.abort();
          process.kill(process.pid, 'SIGINT');
        });
        return await reader.question('', { signal: AbortSignal.any([signal, aborted.signal]) });
      } finally {
        reader.close();
        if (hidden) stderr.write('\n');
      }
    },
    async readAll(signal) {
      const parts: Buffer[] = [];
      let bytes = 0;
      for await (const part of addAbortSignal(signal, stdin) as AsyncIterable<Buffer>) {
        bytes += part.length;
        if (bytes > INPUT_MAX_BYTES) throw cliErrors.make('input-too-long', { limit: INPUT_MAX_BYTES });
        parts.push(part);
      }
      return Buffer.concat(parts).toString('utf8');
    },
    status(text) {
      if (!stderr.isTTY || (text === '' && !shown)) return;
      stderr.write(`\r\x1b[K${text}`);
      shown = text !== '';
    },
  };
}
