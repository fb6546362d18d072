import type { AnyMessage, BodyOf, ResponseOf } from '../sdk/message.ts';
import type { SendOptions } from '../sdk/plugin.ts';
import type { Connection, IncomingStream } from '../transport/transport.ts';
import { BlockPoints, PeerAccounts } from './budget.ts';
import type { WireContext } from './context.ts';
import { Deadlines } from './deadlines.ts';
import { wireErrors } from './errors.ts';
import { Inbound } from './inbound/inbound.ts';
import { Outbound } from './outbound.ts';
import { RouteTable } from './route-table.ts';
import { Trace } from './trace.ts';
import { WireConnection } from './wire-connection.ts';
import type { AttachOptions, Attachment, Dispatcher, DispatcherDeps } from './wire.ts';

export function createDispatcher(deps: DispatcherDeps): Dispatcher {
  return new WireDispatcher(deps);
}

class WireDispatcher implements Dispatcher {
  readonly router: RouteTable;
  readonly trace: Trace;
  readonly #context: WireContext;
  readonly #connections = new Map<Connection, WireConnection>();
  readonly #accounts = new PeerAccounts();
  readonly #blockPoints = new BlockPoints();

  constructor({ clock, counters, log }: DispatcherDeps) {
    this.router = new RouteTable(clock);
    this.trace = new Trace(clock, log);
    const deadlines = new Deadlines(clock);
    this.#context = { clock, counters, log, deadlines, trace: this.trace, table: this.router, bufferedBytes: 0 };
  }

  attach(connection: Connection, { blocks = [], kept = false }: AttachOptions = {}): Attachment {
    const account = this.#accounts.enter(connection.peer);
    const blameBlocks = (points: number, now: number): void => this.#blockPoints.blame(blocks, points, now);
    const receive = (on: WireConnection, stream: IncomingStream): Inbound => new Inbound(on, stream);
    const wire = new WireConnection(this.#context, connection, account, blameBlocks, receive);
    this.#connections.set(connection, wire);
    // A peer that was closed for misbehaviour and comes straight back is not served either.
    wire.blame(0);
    const { clock, counters } = this.#context;
    if (!kept && connection.direction === 'inbound' && this.#blockPoints.exceeds(blocks, clock.monotonic())) {
      counters.add('refused-for-address');
      wire.close('misbehaviour');
    }
    return wire;
  }

  detach(connection: Connection): void {
    const wire = this.#connections.get(connection);
    if (wire === undefined) return;
    this.#connections.delete(connection);
    this.#accounts.leave(connection.peer);
    wire.detach();
  }

  send<M extends AnyMessage>(
    connection: Connection,
    message: M,
    body: BodyOf<M>,
    options?: SendOptions,
  ): Promise<ResponseOf<M>> {
    const wire = this.#connections.get(connection);
    if (wire === undefined) {
      return Promise.reject(wireErrors.make('not-connected', { name: message.name, peer: connection.peer.nodeId }));
    }
    const call = new Outbound(wire, message, options);
    call.run(body);
    return call.promise as Promise<ResponseOf<M>>;
  }

  close(): void {
    for (const connection of [...this.#connections.keys()]) this.detach(connection);
    this.#context.deadlines.close();
  }
}
