import type { AnyMessage } from '../sdk/message.ts';
import type { Validator } from '../sdk/validator.ts';
import type { Blockable, HeldFrame, LineOwner, RunningCall, WaitingLine } from './calls.ts';
import { HOLD_MAX_BYTES, HOLD_MAX_FRAMES } from './limits.ts';
import type { MessageHandler } from './message-router.ts';
import { Roster } from './roster.ts';

/** What serves one message at this moment. */
export interface Serving {
  readonly owner: RouteOwner;
  readonly message: AnyMessage;
  readonly handler: MessageHandler;
  readonly request: Validator;
  readonly answer: Validator | undefined;
}

/** Where frames of one code or extension name go. It stays when its plugin goes, so that budgets are not reset by a swap. */
export class MessageRoute {
  readonly name: string;
  serving: Serving | undefined;

  constructor(name: string) {
    this.name = name;
  }
}

/** The routes as who reads a frame sees them. */
export interface MessageTable {
  readonly byCode: readonly (MessageRoute | undefined)[];
  readonly byName: ReadonlyMap<string, MessageRoute>;
  /** Largest payload of an extension frame that anybody here takes; 0 when nobody takes any. */
  readonly extensionMaxBytes: number;
}

/** A plugin, as the router sees it. */
export class RouteOwner implements LineOwner {
  readonly name: string;
  held = false;
  routes: MessageRoute[] = [];
  /** Frames that came while held, in arrival order; paused ones among them. */
  readonly queue: HeldFrame[] = [];
  queuedBytes = 0;
  /** Calls whose handler has returned a promise that is still open. */
  readonly running = new Roster<RunningCall>();
  /** Connections that are not read because the queue is full. */
  readonly blocked = new Set<Blockable>();
  /** Where frames wait for an in-flight limit. */
  readonly lines = new Set<WaitingLine>();
  onIdle: (() => void) | undefined;

  constructor(name: string) {
    this.name = name;
  }

  /** True while frames must go behind those that were held. */
  get queues(): boolean {
    return this.held || this.queue.length > 0;
  }

  hasRoom(bytes: number): boolean {
    return this.queue.length < HOLD_MAX_FRAMES && this.queuedBytes + bytes <= HOLD_MAX_BYTES;
  }

  /** Leaves a connection unread until the release. False when it is already. */
  block(connection: Blockable): boolean {
    if (this.blocked.has(connection)) return false;
    this.blocked.add(connection);
    connection.block();
    return true;
  }

  ended(call: RunningCall): void {
    if (this.running.delete(call) && this.running.size === 0) this.onIdle?.();
  }
}
