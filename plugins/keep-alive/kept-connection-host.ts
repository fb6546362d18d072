import type { BodyOf, IncomingCall, Network, NodeId, ContextBase, ResponseOf } from '../../kernel/index.ts';
import { REDIRECT_ADDRESSES_MAX } from './messages.ts';
import type { keepAliveRequest } from './messages.ts';
import type { KeptConnections } from './kept-connections.ts';
import type { ReachabilitySnapshot } from './reachability-snapshot.ts';

interface HostDeps {
  readonly ctx: ContextBase;
  readonly network: Network;
  readonly sessions: KeptConnections;
  around(): Promise<ReachabilitySnapshot | undefined>;
  addresses(nodeId: NodeId): Promise<readonly string[]>;
}

/** The asked side: gives a session while there is room, and names somebody else when there is none. */
export class KeptConnectionHost {
  readonly #deps: HostDeps;

  constructor(deps: HostDeps) {
    this.#deps = deps;
  }

  async answer(
    { target, keep }: BodyOf<typeof keepAliveRequest>,
    { peer, connectionId }: IncomingCall,
  ): Promise<ResponseOf<typeof keepAliveRequest>> {
    const { ctx, network, sessions } = this.#deps;
    const kind = network.connection(connectionId)?.kind;
    const isOurs = sessions.all().some((session) => session.connectionId === connectionId);
    if (!keep) {
      if (kind === 'keep-alive' && !isOurs) network.setKind(connectionId, 'session');
      return { accepted: true };
    }
    if (kind === 'mesh' || kind === 'keep-alive' || kind === 'lan') return { accepted: true };
    if (sessions.isFull()) {
      ctx.counters.add('requests-redirected');
      return { accepted: false, ...(await this.#redirect(target, peer.nodeId, connectionId)) };
    }
    network.setKind(connectionId, 'keep-alive');
    ctx.counters.add('requests-accepted');
    return { accepted: true };
  }

  /** KEEP-09: a peer of ours, so one of the asker's N2, that has the target within three hops. */
  async #redirect(
    target: NodeId,
    asker: NodeId,
    connectionId: number,
  ): Promise<Pick<ResponseOf<typeof keepAliveRequest>, 'redirect'>> {
    const { ctx, network } = this.#deps;
    const around = await this.#deps.around();
    const others = (around?.reporters(target) ?? []).filter((id) => id !== asker && id !== target);
    const chosen = others[ctx.random.integer(Math.max(1, others.length))];
    if (chosen === undefined) return {};
    const toldTo = network.connection(connectionId)?.remoteAddr ?? '';
    // What the asker would not dial on our word is not told, so addresses of a LAN stay in it.
    const addresses = (await this.#deps.addresses(chosen))
      .filter((address) => network.mayDial(address, toldTo))
      .slice(0, REDIRECT_ADDRESSES_MAX);
    return { redirect: { node_id: chosen, addresses } };
  }
}
