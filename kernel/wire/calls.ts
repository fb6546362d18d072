/**
 * What the queues of the wire layer know of the calls they keep; docs/waiting-places.md shows the
 * queues. It imports no call, so that routes, budgets and connections need not know what one is.
 */
import type { StreamAbort } from '../transport/transport.ts';
import type { Member } from './roster.ts';

/** A frame that waits for the release of its plugin's hold. */
export interface HeldFrame {
  /** The swap is over, or the plugin is gone: goes on where the hold stopped it. */
  released(): void;
  /** A hold is our doing: it does not use up the peer's time. */
  suspendDeadline(): void;
  resumeDeadline(): void;
}

/** A whole frame that waits for its message's in-flight limit. */
export interface WaitingCall extends HeldFrame {
  /** How many of its message may run for one peer; any number when it is no longer served and only to be refused. */
  readonly places: number;
  /** Leaves the line, which has taken it out. */
  start(): void;
}

/** The calls of one peer and message that wait for the in-flight limit, in arrival order. */
export interface WaitingLine {
  suspendDeadlines(): void;
  resumeDeadlines(): void;
  /** Starts as many as the limit and a hold of their plugin allow. */
  pump(owner: LineOwner): void;
}

/** The plugin whose calls wait. */
export interface LineOwner {
  readonly held: boolean;
  readonly lines: Set<WaitingLine>;
}

/** A call whose handler is under way. */
export interface RunningCall extends Member {
  /** The swap gave up on it; what it still answers is sent. */
  interrupt(): void;
}

/** A partly read frame that waits for room among those of its connection. */
export interface ParkedFrame {
  /** Declared payload bytes. */
  readonly bytes: number;
  /** No longer wanted. */
  readonly done: boolean;
  /** There is room for the rest now; the reservation is made. */
  admitted(): void;
}

/** Who reads a stream. */
export interface StreamReader {
  /** `chunk` is valid during the call only. */
  read(chunk: Uint8Array, fin: boolean): void;
  /** The peer or the connection ended the stream. */
  aborted(reason: StreamAbort): void;
}

/** What ends with its connection. */
export interface Connected extends Member {
  disconnected(): void;
}

/** A connection whose new streams can be left unread for a while. */
export interface Blockable {
  /** New streams are left paused until as many `unblock`. */
  block(): void;
  unblock(): void;
}
