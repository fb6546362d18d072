export type LogFields = Readonly<Record<string, unknown>>;

/** Structured log of one plugin or kernel part. `event` is a stable kebab-case name, fields are data. */
export interface Log {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
}

/** Named counters of one owner, shown by `plugin inspect`, `status --counters` and Diagnostics. */
export interface Counters {
  /** Adds `by` (default 1) to the counter `name`, which is made on first use. At most 512 names an owner. */
  add(name: string, by?: number): void;
  /** All counters of this owner. */
  read(): Readonly<Record<string, number>>;
}
