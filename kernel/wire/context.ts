import type { Clock } from '../sdk/clock.ts';
import type { Counters, Log } from '../sdk/log.ts';
import type { Deadlines } from './deadlines.ts';
import type { MessageTable } from './message-route.ts';
import type { Trace } from './trace.ts';

/** What all parts of one dispatcher share. */
export interface WireContext {
  readonly clock: Clock;
  readonly counters: Counters;
  readonly log: Log;
  readonly trace: Trace;
  readonly deadlines: Deadlines;
  readonly table: MessageTable;
  /** Bytes of partly read frames and of raw bodies under way, all connections together. */
  bufferedBytes: number;
}
