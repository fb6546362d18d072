import type { AnyMessage, BodyOf, ResponseOf } from '../sdk/message.ts';
import type { SendOptions } from '../sdk/plugin.ts';
import type { Connection } from '../transport/transport.ts';
import { PeerAccounts } from './budget.ts';
import type { WireContext } from './context.ts';
import { Deadlines } from './deadlines.ts';
import { wireErrors } from './errors.ts';
import { Link } from './link.ts';
import { Outbound } from './outbound.ts';
import { SlotTable } from './slot-table.ts';
import { Trace } from './trace.ts';
import type { Attachment, Dispatcher, DispatcherDeps } from './wire.ts';

export function createDispatcher(deps: DispatcherDeps): Dispatcher {
  return new WireDispatcher(deps);
}

class WireDispatcher implements Dispatcher {
  readonly slots: SlotTable;
  readonly trace: Trace;
  readonly #context: WireContext;
  readonly #links = new Map<Connection, Link>();
  readonly #accounts = new PeerAccounts();

  constructor({ clock, counters, log }: DispatcherDeps) {
    this.slots = new SlotTable(clock);
    this.trace = new Trace(clock, log);
    const deadlines = new Deadlines(clock);
    this.#context = { clock, counters, log, deadlines, trace: this.trace, table: this.slots, bufferedBytes: 0 };
  }

  attach(connection: Connection): Attachment {
    const link = new Link(this.#context, connection, this.#accounts.enter(connection.peer));
    this.#links.set(connection, link);
    // A peer that was closed for misbehaviour and comes straight back is not served either.
    link.blame(0);
    return link;
  }

  detach(connection: Connection): void {
    const link = this.#links.get(connection);
    if (link === undefined) return;
    this.#links.delete(connection);
    this.#accounts.leave(connection.peer);
    link.detach();
  }

  send<M extends AnyMessage>(
    connection: Connection,
    message: M,
    body: BodyOf<M>,
    options?: SendOptions,
  ): Promise<ResponseOf<M>> {
    const link = this.#links.get(connection);
    if (link === undefined) {
      return Promise.reject(wireErrors.make('not-connected', { name: message.name, peer: connection.peer.nodeId }));
    }
    const call = new Outbound(link, message, options);
    call.run(body);
    return call.promise as Promise<ResponseOf<M>>;
  }

  close(): void {
    for (const connection of [...this.#links.keys()]) this.detach(connection);
    this.#context.deadlines.close();
  }
}
