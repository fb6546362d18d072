import { codeOf } from '../../kernel/index.ts';
import type { IncomingCall, NodeId } from '../../kernel/index.ts';
import type { WormContext } from './context.ts';
import { answerOf, responseOf } from './finding.ts';
import type { Finding, Referral, WormQuery, WormResponse } from './finding.ts';
import type { LocalIndex } from './local-index.ts';
import type { Neighbours } from './neighbours.ts';
import { wormQuery } from './messages.ts';
import type { RelayBudget } from './relay-budget.ts';
import { runRelay } from './relay.ts';
import type { Seen } from './seen.ts';

/** Nodes whose reporters are being asked where they are, for all who ask us; those beyond it are named without. */
const LOCATING_MAX = 32;
/** Leaves the asker's 500 ms time for the way there and back. */
const LOCATE_MS = 300;

export interface ResponderDeps {
  readonly ctx: WormContext;
  readonly home: LocalIndex;
  readonly neighbours: Neighbours;
  readonly seen: Seen;
  readonly relays: RelayBudget;
}

/** The answering side: looks at home, and for a query of ttl 1 asks its own mesh peers, once a search. */
export class Responder {
  readonly #deps: ResponderDeps;
  #locating = 0;

  constructor(deps: ResponderDeps) {
    this.#deps = deps;
  }

  async answer(query: WormQuery, call: IncomingCall): Promise<WormResponse> {
    const { ctx, home, neighbours, seen } = this.#deps;
    const isFirst = seen.handle(query.search_id, ctx.clock.monotonic());
    if (!isFirst) ctx.counters.add('queries-seen-before');
    const mayRelay = query.ttl === 1 && this.#mayRelay(query, call.peer.nodeId);
    if (!isFirst && !mayRelay) return {};
    try {
      await neighbours.settled(call.signal);
      const known = home.look(neighbours, query);
      const peers = mayRelay ? neighbours.wormPeers() : [];
      const referral = query.refer === true ? home.refer(neighbours, call.peer.nodeId) : undefined;
      const { findings, asked } = await this.#relay(query, call, await this.#located(known, call.signal), peers);
      ctx.counters.add(findings.length > 0 ? 'queries-answered' : 'queries-not-known');
      return this.#respond(call, findings, asked, referral);
    } finally {
      if (mayRelay) this.#deps.relays.done();
    }
  }

  /** A name without an address is of little use, and our reporters are nearer to it than the asker. */
  async #located(known: readonly Finding[], signal: AbortSignal): Promise<readonly Finding[]> {
    const [first, ...others] = known;
    if (first === undefined || first.addresses.length > 0 || this.#locating >= LOCATING_MAX) return known;
    this.#locating += 1;
    try {
      const addresses = await this.#deps.neighbours.locate(first.holder, signal, LOCATE_MS);
      return [{ ...first, addresses }, ...others];
    } finally {
      this.#locating -= 1;
    }
  }

  #mayRelay(query: WormQuery, asker: NodeId): boolean {
    const { ctx, seen, relays } = this.#deps;
    if (!seen.relay(query.search_id)) return false;
    const may = relays.take(asker);
    ctx.counters.add(may ? 'relays' : 'relays-refused');
    return may;
  }

  #relay(
    query: WormQuery,
    call: IncomingCall,
    known: readonly Finding[],
    peers: readonly NodeId[],
  ): Promise<{ findings: readonly Finding[]; asked: number }> {
    const { ctx } = this.#deps;
    const { refer: _, ...body } = { ...query, ttl: 0 };
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        cancel();
        reject(call.signal.reason);
      };
      const cancel = runRelay<NodeId, Finding, Referral>(
        {
          clock: ctx.clock,
          local: () => known,
          peers: () => peers.filter((peer) => peer !== call.peer.nodeId),
          ask: (peer, limitMs, reply) => {
            ctx.send(peer, wormQuery, body, { deadlineMs: limitMs, signal: call.signal }).then(
              (response) => reply(answerOf(body, response, peer)),
              (error) => {
                ctx.counters.add(`relayed-unanswered.${codeOf(error)}`);
                reply(undefined);
              },
            );
          },
        },
        (findings, asked) => {
          call.signal.removeEventListener('abort', onAbort);
          resolve({ findings, asked });
        },
      );
      call.signal.addEventListener('abort', onAbort, { once: true });
      if (call.signal.aborted) onAbort();
    });
  }

  /** Addresses of a narrow scope stay within it (H5): each must suit who told us as well as who asks. */
  #respond(
    call: IncomingCall,
    findings: readonly Finding[],
    asked: number,
    referral: Referral | undefined,
  ): WormResponse {
    const { network } = this.#deps.neighbours;
    const told = findings.map((finding) => ({
      ...finding,
      addresses: this.#deps.neighbours.dialable(finding.addresses, finding.toldBy),
    }));
    const askerAddr = network.connection(call.connectionId)?.remoteAddr ?? '';
    const mayTell = (address: string): boolean => network.mayDial(address, askerAddr);
    return {
      ...responseOf(told, mayTell),
      ...(referral === undefined
        ? {}
        : { referral: { id: referral.id, addresses: referral.addresses.filter(mayTell) } }),
      ...(asked > 0 ? { relayed: Math.min(asked, 1_000) } : {}),
    };
  }
}
