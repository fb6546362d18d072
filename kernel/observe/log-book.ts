import { types } from 'node:util';
import { type Logger, pino } from 'pino';
import type { Clock } from '../sdk/clock.ts';
import { codeOf, errorText, messageOf } from '../sdk/errors.ts';
import { plainValue } from '../sdk/kit/plain-value.ts';
import type { Log, LogFields } from '../sdk/log.ts';
import { openLogFile } from './log-file.ts';

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface LogEntry {
  readonly atMs: number;
  readonly level: LogLevel;
  /** The plugin, or the kernel part as `kernel/<part>`. */
  readonly area: string;
  readonly event: string;
  readonly fields: LogFields;
}

export interface LogOptions {
  readonly level: LogLevel;
  readonly clock: Clock;
  /** Where the JSON lines go: a stream (default: stderr), a file path, or `none`. */
  readonly to?: { readonly stream: { write(line: string): void } } | { readonly file: string } | 'none';
  /** How many entries are kept for `recent`; the oldest go first. Default 500. */
  readonly keep?: number;
}

/** The log of one node. */
export interface LogBook {
  area(name: string): Log;
  /** Takes effect at once for every area. */
  setLevel(level: LogLevel): void;
  readonly level: LogLevel;
  /** The last entries, oldest first. */
  recent(): readonly LogEntry[];
  /** Calls `listener` for every entry from now on; returns the unsubscribe. What it throws is ignored. */
  subscribe(listener: (entry: LogEntry) => void): () => void;
  /** Writes out what is buffered; further entries are only kept in memory. */
  close(): void;
}

export function createLog(options: LogOptions): LogBook {
  const { clock, keep = 500 } = options;
  const sink = openSink(options.to);
  const root = pino(
    { level: options.level, base: null, messageKey: 'event', timestamp: () => `,"time":${clock.now()}` },
    { write: (line: string) => sink.write(line) },
  );
  const ring: LogEntry[] = [];
  const listeners = new Set<(entry: LogEntry) => void>();
  let threshold = LOG_LEVELS.indexOf(options.level);

  const write = (logger: Logger, area: string, level: LogLevel, event: string, given: LogFields): void => {
    if (LOG_LEVELS.indexOf(level) < threshold) return;
    const fields = plainFields(given);
    const name = errorText(event);
    logger[level](fields, name);
    const entry = { atMs: clock.now(), level, area, event: name, fields };
    if (ring.push(entry) > keep) ring.shift();
    for (const listener of listeners) {
      try {
        listener(entry);
      } catch {
        // Reporting it here would call the same listener again.
      }
    }
  };

  return {
    area(name) {
      const logger = root.child({ area: name }, { level: 'trace' });
      return {
        debug: (event, fields = {}) => write(logger, name, 'debug', event, fields),
        info: (event, fields = {}) => write(logger, name, 'info', event, fields),
        warn: (event, fields = {}) => write(logger, name, 'warn', event, fields),
        error: (event, fields = {}) => write(logger, name, 'error', event, fields),
      };
    },
    setLevel(level) {
      threshold = LOG_LEVELS.indexOf(level);
    },
    get level() {
      return LOG_LEVELS[threshold] as LogLevel;
    },
    recent: () => [...ring],
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    close: () => sink.close(),
  };
}

interface Sink {
  write(line: string): void;
  close(): void;
}

function openSink(to: LogOptions['to']): Sink {
  if (to === 'none') return { write() {}, close() {} };
  if (to !== undefined && 'file' in to) {
    const file = openLogFile(to.file);
    let open = true;
    return {
      write: (line) => void (open && file.write(line)),
      close: () => {
        if (open) file.close();
        open = false;
      },
    };
  }
  const stream = to?.stream ?? process.stderr;
  return { write: (line) => void stream.write(line), close() {} };
}

/** Errors that are made without a constructor of Error; asking a proxy would run its code. */
function isOwnError(value: unknown): value is Error {
  return typeof value === 'object' && !types.isProxy(value) && value instanceof Error;
}

/** Errors become `{code, message, stack}` with their causes' codes; all else as {@link plainValue} makes it. */
function plainFields(fields: LogFields): LogFields {
  const plain: Record<string, unknown> = {};
  try {
    for (const [key, value] of Object.entries(fields)) {
      plain[key] = types.isNativeError(value) || isOwnError(value) ? plainError(value) : plainValue(value);
    }
  } catch {
    plain.unreadable = true;
  }
  return plain;
}

/** Never throws: what a plugin throws may have getters that do. */
function plainError(error: Error): Record<string, unknown> {
  const plain: Record<string, unknown> = { code: codeOf(error), message: messageOf(error) };
  try {
    if (error.cause instanceof Error) plain.cause = `${codeOf(error.cause)}: ${messageOf(error.cause)}`;
    plain.stack = errorText(String(error.stack));
  } catch {
    plain.stack = 'it cannot be read';
  }
  return plain;
}
