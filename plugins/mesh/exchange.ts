import { codeOf } from '../../kernel/index.ts';
import type { CloseReason, IncomingCall } from '../../kernel/index.ts';
import type { AddressBook } from './address-book.ts';
import type { Announcements } from './announcements.ts';
import { peerReady, peerFeaturesChanged, sectionFeature } from './api.ts';
import type { MeshContext } from './context.ts';
import { meshErrors } from './errors.ts';
import type { History } from './history.ts';
import { peerOf } from './links.ts';
import type { Link, Links } from './links.ts';
import { initialExchange, PROTOCOL_MIN, PROTOCOL_VERSION } from './messages.ts';
import type { ExchangeBody } from './messages.ts';
import type { OwnSide } from './own-side.ts';
import type { Preference } from './prefer/preference.ts';
import type { Sections } from './sections.ts';
import type { Handover } from './slots/handover.ts';
import type { Redirects } from './slots/redirects.ts';
import type { Slots } from './slots/slots.ts';

/** A swap of the peer's mesh interrupts an exchange at most this often before we give the peer up. */
const ASK_ATTEMPTS = 4;
/** 0.25 + 0.5 + 1 s between attempts: longer than the drain of a swap. */
const ASK_PAUSE_MS = 250;
/** Addresses of a peer's own list that we believe; the one it was seen at comes before them. */
const ADDRESSES_BELIEVED = 6;

/** Verdicts that asking again does not change, with the close reason the peer gets to see. */
const FINAL: ReadonlyMap<string, CloseReason> = new Map([
  [meshErrors.code('protocol-mismatch'), 'incompatible'],
  [meshErrors.code('wrong-sender'), 'misbehaviour'],
]);

interface ExchangeParts {
  readonly links: Links;
  readonly own: OwnSide;
  readonly sections: Sections;
  readonly book: AddressBook;
  readonly history: History;
  readonly announcements: Announcements;
  readonly slots: Slots;
  readonly redirects: Redirects;
  readonly handover: Handover;
  readonly preference: Preference;
  /** It is a peer from now on. */
  joined(link: Link): void;
}

/** The InitialExchange from both ends: only what has passed it is a peer. */
export class Exchange {
  readonly #mesh: MeshContext;
  readonly #parts: ExchangeParts;

  constructor(mesh: MeshContext, parts: ExchangeParts) {
    this.#mesh = mesh;
    this.#parts = parts;
  }

  /**
   * Sends our side and takes the peer's; closes the connection when that fails for good. On the
   * connection of a peer it asks again for a slot.
   */
  async ask(link: Link): Promise<void> {
    if (link.state !== 'ready') link.state = 'asking';
    const wantsSlot = this.#parts.slots.reserve(link);
    link.redirectDue = wantsSlot;
    try {
      await this.#ask(link, wantsSlot);
    } finally {
      this.#parts.slots.release(link);
    }
  }

  async #ask(link: Link, wantsSlot: boolean): Promise<void> {
    const { ctx } = this.#mesh;
    for (let attempt = 1; ; attempt++) {
      try {
        // What the peer offers is not known yet, so it is told every section.
        const told = this.#parts.sections.names();
        const need = this.#parts.handover.need(link);
        const body = { ...this.#body(link, told), wants_slot: wantsSlot, ...(need === undefined ? {} : { need }) };
        const { connectionId } = link;
        const answer = await ctx.send(peerOf(link), initialExchange, body, { connectionId, signal: ctx.signal });
        return await this.#accept(link, answer, body.features_revision, told, () => {
          if (wantsSlot && answer.slot !== 'refused') this.#takeGranted(link);
          else this.#parts.slots.refuse(link);
        });
      } catch (error) {
        if (ctx.signal.aborted || this.#isGone(link) || this.#isReady(link)) return;
        if (attempt === ASK_ATTEMPTS || FINAL.has(codeOf(error))) return this.#fail(link, error);
        ctx.counters.add(`exchange-retried.${codeOf(error)}`);
        await ctx.clock.sleep(ASK_PAUSE_MS * 2 ** (attempt - 1), ctx.signal);
      }
    }
  }

  /** Takes the peer's side and gives ours; also when it asks again after a swap in the middle. */
  async answer(link: Link, body: ExchangeBody, call: IncomingCall): Promise<ExchangeBody> {
    try {
      const offered = new Set(body.features);
      const told = this.#parts.sections.names().filter((name) => offered.has(sectionFeature(name)));
      const answer = this.#body(link, told);
      const wantsSlot = body.wants_slot ?? true;
      let isGranted = false;
      if (wantsSlot && body.need === 'room' && body.node_id === link.nodeId) await this.#parts.handover.makeRoom(link);
      await this.#accept(link, body, answer.features_revision, told, () => {
        if (wantsSlot) isGranted = this.#parts.slots.take(link).grant;
        if (!isGranted) this.#parts.slots.refuse(link);
      });
      call.signal.throwIfAborted();
      if (!wantsSlot) return answer;
      if (!isGranted) this.#parts.redirects.send(link, body.need !== undefined);
      return { ...answer, slot: isGranted ? 'granted' : 'refused' };
    } catch (error) {
      if (FINAL.has(codeOf(error))) this.#fail(link, error);
      throw error;
    } finally {
      this.#parts.slots.release(link);
    }
  }

  /** The peer owed us its side and did not send it in time. */
  expire(link: Link): void {
    this.#fail(link, meshErrors.make('exchange-failed', { reason: 'the peer did not begin it in time' }));
  }

  #body(link: Link, told: readonly string[]): ExchangeBody {
    const remoteAddr = this.#mesh.network.connection(link.connectionId)?.remoteAddr ?? '';
    return this.#parts.own.body(remoteAddr, this.#parts.sections.collect(peerOf(link), told));
  }

  /** The peer keeps a slot for us; if we have none left after all, it must not be kept in vain. */
  #takeGranted(link: Link): void {
    const { ctx, network } = this.#mesh;
    link.redirectDue = false;
    if (this.#parts.slots.take(link).grant) return;
    ctx.counters.add('granted-slots-returned');
    this.#parts.slots.refuse(link);
    network.close(link.connectionId, 'mesh-full');
  }

  /** `settleSlot` decides whether the connection holds a mesh slot, before anybody hears of the peer. */
  async #accept(
    link: Link,
    body: ExchangeBody,
    toldRevision: number,
    told: readonly string[],
    settleSlot: () => void,
  ): Promise<void> {
    const { sections, book, preference } = this.#parts;
    if (body.node_id !== link.nodeId || body.device_id !== link.deviceId) throw meshErrors.make('wrong-sender');
    if (body.protocol < PROTOCOL_MIN) {
      throw meshErrors.make('protocol-mismatch', { theirs: body.protocol, ours: PROTOCOL_VERSION });
    }
    const peer = peerOf(link);
    await sections.receive(peer, body.sections);
    if (this.#isGone(link)) return;

    // Even if they are the same again: what we sent to a plugin that was off in between is lost there.
    const changed = body.features_revision > link.featuresRevision;
    if (body.features_revision >= link.featuresRevision) {
      link.features = [...new Set(body.features)].sort();
      this.#mesh.network.setFeaturesOf(link.connectionId, link.features);
      link.featuresRevision = body.features_revision;
    }
    link.protocol = Math.min(body.protocol, PROTOCOL_VERSION);
    link.observedAddr = body.your_observed_addr;
    link.toldRevision = toldRevision;
    link.sectionsSent = told.filter((name) => link.features.includes(sectionFeature(name)));

    const seenAt = this.#mesh.network.connection(link.connectionId)?.remoteAddr;
    const addresses = body.addresses
      .slice(0, ADDRESSES_BELIEVED)
      .filter((address) => this.#mesh.network.mayDial(address, seenAt ?? ''));
    book.seen(peer.nodeId, seenAt, addresses, body.nat_type, this.#mesh.ctx.clock.now());
    link.nplus10 = [...body.nplus10];
    preference.confirm(link);
    settleSlot();
    if (link.state !== 'ready') this.#becomePeer(link);
    else if (changed) {
      const { connectionId, features } = link;
      this.#mesh.ctx.emit(peerFeaturesChanged, { peer, connectionId, features: [...features] });
    }
  }

  #becomePeer(link: Link): void {
    const { ctx } = this.#mesh;
    const { links, history } = this.#parts;
    const peer = peerOf(link);
    link.state = 'ready';
    link.readyAtMs = ctx.clock.now();
    link.keepAliveDueMs = link.readyAtMs + ctx.config.keepAliveMs;
    history.exchanged(peer.nodeId, ctx.clock.now(), 'ready');
    ctx.counters.add('peers-ready');
    links.settle(link);
    this.#parts.joined(link);
    ctx.emit(peerReady, { peer, connectionId: link.connectionId, features: [...link.features] });
    // What changed while the exchange was under way.
    this.#parts.announcements.catchUp([link]);
  }

  #fail(link: Link, error: unknown): void {
    const { ctx, network } = this.#mesh;
    const code = codeOf(error);
    ctx.counters.add(`exchange-failed.${code}`);
    ctx.log.warn('exchange-failed', { peer: link.nodeId, connection: link.connectionId, code });
    this.#parts.history.exchanged(peerOf(link).nodeId, ctx.clock.now(), code);
    this.#parts.links.remove(link.connectionId, () => meshErrors.make('exchange-failed', { reason: code }, error));
    network.close(link.connectionId, FINAL.get(code) ?? 'exchange-failed');
  }

  #isGone(link: Link): boolean {
    return this.#parts.links.get(link.connectionId) !== link;
  }

  /** It may have become a peer by its own exchange while ours was under way. */
  #isReady(link: Link): boolean {
    return link.state === 'ready';
  }
}
