import type { IncomingCall } from '../sdk/plugin.ts';
import type { AnyMessage } from '../sdk/message.ts';

/** A handler of the present generation, already bound to its scope. */
export type MessageHandler = (body: unknown, call: IncomingCall) => unknown;

export interface RouteEntry {
  readonly message: AnyMessage;
  readonly handler: MessageHandler;
  /** Calls what the message's schemas run, in the name of their plugin; undefined for what ships with the node. */
  readonly call?: (<R>(code: () => R) => R) | undefined;
}

/**
 * The swap's view of the dispatcher. The lifecycle points messages at handlers, holds them while a
 * plugin is swapped and releases them; packets, streams and connections never notice.
 */
export interface MessageRouter {
  /** @throws wire/duplicate-message, wire/not-in-catalogue: checked before any setup code runs. */
  check(owner: string, messages: readonly AnyMessage[]): void;
  /**
   * Frames for these messages queue from now on, per peer in order, up to 1,024 frames or 1 MiB over
   * the owner. The frame that shows a connection that the cap is reached is kept too; from then on
   * that connection's new streams are paused unread until the release.
   */
  hold(owner: string): void;
  /** Resolves when no handler of `owner` runs any more; after `limitMs` aborts the rest (their signals). Resolves with how many it aborted. */
  drain(owner: string, limitMs: number): Promise<number>;
  /** Points the owner's messages at new handlers, replacing those of any earlier generation; messages no longer listed become unsupported. */
  install(owner: string, entries: readonly RouteEntry[]): void;
  /** The owner's messages are answered "unsupported" from now on; what is held is answered so too. */
  remove(owner: string): void;
  /**
   * Runs what was held with the installed handlers. The frames of one peer start in arrival order; one
   * that is over its message's in-flight limit waits, and only its own message waits with it.
   */
  release(owner: string): void;
  /** For `plugin inspect`: messages, running and held calls. */
  inspect(owner: string): { messages: string[]; running: number; held: number };
}
