import { codeOf, linkSignals } from '../../kernel/index.ts';
import type { CloseReason, IncomingCall } from '../../kernel/index.ts';
import { extensionFeature, peerFeaturesChanged, peerReady } from './api.ts';
import type { SlotFields } from './api.ts';
import type { PeersContext } from './context.ts';
import { peersErrors } from './errors.ts';
import type { HandshakeExtensions } from './extensions.ts';
import type { History } from './history.ts';
import type { IdentifyPush } from './identify-push.ts';
import type { LocalHello } from './local-hello.ts';
import { initialExchange, PROTOCOL_MIN, PROTOCOL_VERSION } from './messages.ts';
import type { Hello } from './messages.ts';
import type { PeerStore } from './peer-store.ts';
import { peerOf } from './sessions.ts';
import type { PeerSession, PeerSessions } from './sessions.ts';
import type { SlotNegotiation } from './slot-negotiation.ts';

/** A swap of the peer's side interrupts a handshake at most this often before we give the peer up. */
const ASK_ATTEMPTS = 4;
/** 0.25 + 0.5 + 1 s between attempts: longer than the drain of a swap. */
const ASK_PAUSE_MS = 250;
/** Addresses of a peer's own list that we believe; the one it was seen at comes before them. */
const ADDRESSES_BELIEVED = 6;

/** Verdicts that asking again does not change, with the close reason the peer gets to see. */
const FINAL: ReadonlyMap<string, CloseReason> = new Map([
  [peersErrors.code('protocol-mismatch'), 'incompatible'],
  [peersErrors.code('wrong-sender'), 'misbehaviour'],
]);

interface HandshakeParts {
  readonly sessions: PeerSessions;
  readonly hello: LocalHello;
  readonly extensions: HandshakeExtensions;
  readonly store: PeerStore;
  readonly history: History;
  readonly push: IdentifyPush;
  readonly slots: SlotNegotiation;
}

/** The handshake from both ends: only what has passed it is a peer. */
export class Handshake {
  readonly #peers: PeersContext;
  readonly #parts: HandshakeParts;

  constructor(peers: PeersContext, parts: HandshakeParts) {
    this.#peers = peers;
    this.#parts = parts;
  }

  /**
   * Sends our side and takes the peer's; closes the connection when that fails for good. On the
   * connection of a peer it asks again for a slot.
   *
   * @throws the signal's reason
   */
  async ask(session: PeerSession, signal?: AbortSignal): Promise<void> {
    const { slots } = this.#parts;
    const linked = linkSignals([this.#peers.ctx.signal, signal]);
    if (session.state !== 'ready') session.state = 'asking';
    const asks = slots.begin(session);
    try {
      await this.#ask(session, asks, linked.signal);
    } finally {
      linked.dispose();
      slots.over(session);
    }
  }

  async #ask(session: PeerSession, asks: SlotFields, signal: AbortSignal): Promise<void> {
    const { ctx } = this.#peers;
    const { extensions, slots } = this.#parts;
    for (let attempt = 1; ; attempt++) {
      try {
        // What the peer offers is not known yet, so it is told everything.
        const told = extensions.names();
        const body = this.#body(session, told, asks);
        const { connectionId } = session;
        const answer = await ctx.send(peerOf(session), initialExchange, body, { connectionId, signal });
        return await this.#accept(session, answer, body.features_revision, told, () => slots.answered(session, answer));
      } catch (error) {
        signal.throwIfAborted();
        if (this.#isGone(session) || this.#isReady(session)) return;
        if (attempt === ASK_ATTEMPTS || FINAL.has(codeOf(error))) return this.#fail(session, error);
        ctx.counters.add(`exchange-retried.${codeOf(error)}`);
        await ctx.clock.sleep(ASK_PAUSE_MS * 2 ** (attempt - 1), signal);
      }
    }
  }

  /** Takes the peer's side and returns ours; also when it asks again after a swap in the middle. */
  async answer(session: PeerSession, body: Hello, call: IncomingCall): Promise<Hello> {
    const { extensions, slots } = this.#parts;
    try {
      const told = extensions.takenBy(body.features);
      const answer = this.#body(session, told, { nplus10: slots.nplus10() });
      const needsRoom = (body.wants_slot ?? true) && body.need === 'room' && body.node_id === session.nodeId;
      if (needsRoom) await slots.makeRoom(session, call.signal);
      let slot = {};
      await this.#accept(session, body, answer.features_revision, told, () => {
        slot = slots.settle(session, body);
      });
      call.signal.throwIfAborted();
      return { ...answer, ...slot };
    } catch (error) {
      if (FINAL.has(codeOf(error))) this.#fail(session, error);
      throw error;
    } finally {
      slots.over(session);
    }
  }

  /** The peer owed us its side and did not send it in time. */
  expire(session: PeerSession): void {
    this.#fail(session, peersErrors.make('exchange-failed', { reason: 'the peer did not begin it in time' }));
  }

  #body(session: PeerSession, told: readonly string[], slot: SlotFields): Hello {
    const remoteAddr = this.#peers.network.connection(session.connectionId)?.remoteAddr ?? '';
    return this.#parts.hello.body(remoteAddr, this.#parts.extensions.collect(peerOf(session), told), slot);
  }

  /** `settleSlot` decides whether the connection holds a mesh slot, before anybody hears of the peer. */
  async #accept(
    session: PeerSession,
    body: Hello,
    toldRevision: number,
    told: readonly string[],
    settleSlot: () => void,
  ): Promise<void> {
    const { extensions, store } = this.#parts;
    if (body.node_id !== session.nodeId || body.device_id !== session.deviceId) throw peersErrors.make('wrong-sender');
    if (body.protocol < PROTOCOL_MIN) {
      throw peersErrors.make('protocol-mismatch', { theirs: body.protocol, ours: PROTOCOL_VERSION });
    }
    const peer = peerOf(session);
    await extensions.receive(peer, body.sections);
    if (this.#isGone(session)) return;

    // Even if they are the same again: what we sent to a plugin that was off in between is lost there.
    const changed = body.features_revision > session.featuresRevision;
    if (body.features_revision >= session.featuresRevision) {
      session.features = [...new Set(body.features)].sort();
      this.#peers.network.setFeaturesOf(session.connectionId, session.features);
      session.featuresRevision = body.features_revision;
    }
    session.protocol = Math.min(body.protocol, PROTOCOL_VERSION);
    session.observedAddr = body.your_observed_addr;
    session.toldRevision = toldRevision;
    session.partsSent = told.filter((name) => session.features.includes(extensionFeature(name)));

    const seenAt = this.#peers.network.connection(session.connectionId)?.remoteAddr;
    const addresses = body.addresses
      .slice(0, ADDRESSES_BELIEVED)
      .filter((address) => this.#peers.network.mayDial(address, seenAt ?? ''));
    const { ctx, network } = this.#peers;
    store.seen({
      nodeId: peer.nodeId,
      seenAt,
      told: addresses,
      natType: body.nat_type,
      blocks: network.blocksOf(seenAt ?? ''),
      share: ctx.config.rowsPerAddress,
      nowMs: ctx.clock.now(),
    });
    settleSlot();
    if (session.state !== 'ready') this.#becomePeer(session);
    else if (changed) {
      const { connectionId, features } = session;
      this.#peers.ctx.emit(peerFeaturesChanged, { peer, connectionId, features: [...features] });
    }
  }

  #becomePeer(session: PeerSession): void {
    const { ctx } = this.#peers;
    const { sessions, history } = this.#parts;
    const peer = peerOf(session);
    session.state = 'ready';
    session.readyAtMs = ctx.clock.now();
    session.keepAliveDueMs = session.readyAtMs + ctx.config.keepAliveMs;
    history.handshakeEnded(peer.nodeId, ctx.clock.now(), 'ready');
    ctx.counters.add('peers-ready');
    sessions.settle(session);
    ctx.emit(peerReady, { peer, connectionId: session.connectionId, features: [...session.features] });
    // What changed while the handshake was under way.
    this.#parts.push.catchUp([session]);
  }

  #fail(session: PeerSession, error: unknown): void {
    const { ctx, network } = this.#peers;
    const code = codeOf(error);
    ctx.counters.add(`exchange-failed.${code}`);
    ctx.log.warn('exchange-failed', { peer: session.nodeId, connection: session.connectionId, code });
    this.#parts.history.handshakeEnded(peerOf(session).nodeId, ctx.clock.now(), code);
    this.#parts.sessions.remove(session.connectionId, () =>
      peersErrors.make('exchange-failed', { reason: code }, error),
    );
    network.close(session.connectionId, FINAL.get(code) ?? 'exchange-failed');
  }

  #isGone(session: PeerSession): boolean {
    return this.#parts.sessions.get(session.connectionId) !== session;
  }

  /** It may have become a peer by its own handshake while ours was under way. */
  #isReady(session: PeerSession): boolean {
    return session.state === 'ready';
  }
}
