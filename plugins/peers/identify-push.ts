import { codeOf } from '../../kernel/index.ts';
import type { BodyOf } from '../../kernel/index.ts';
import { extensionFeature, peerFeaturesChanged } from './api.ts';
import type { PeersContext } from './context.ts';
import { peerOf } from './sessions.ts';
import type { PeerSession, PeerSessions } from './sessions.ts';
import { featuresNotice, meshKeepalive, sectionsNotice } from './messages.ts';
import type { HandshakeExtensions } from './extensions.ts';
import type { LocalHello } from './local-hello.ts';

/** What peers tell each other after the handshake: changed features, late parts, signs of life. */
export class IdentifyPush {
  readonly #peers: PeersContext;
  readonly #sessions: PeerSessions;
  readonly #hello: LocalHello;
  readonly #extensions: HandshakeExtensions;

  constructor(peers: PeersContext, sessions: PeerSessions, hello: LocalHello, extensions: HandshakeExtensions) {
    this.#peers = peers;
    this.#sessions = sessions;
    this.#hello = hello;
    this.#extensions = extensions;
  }

  /** Tells peers, or one of them, what they should know of us and do not. */
  catchUp(peers: readonly PeerSession[] = this.#sessions.ready()): void {
    const { features, revision } = this.#hello.refresh();
    const names = this.#extensions.names();
    for (const session of peers) {
      if (session.toldRevision < revision) {
        session.toldRevision = revision;
        this.#tell(session, featuresNotice, { features, revision });
      }
      this.#sendParts(session, names);
    }
  }

  /** Notices can overtake each other and the answer to a handshake, so an older revision than the known one is dropped. */
  receiveFeatures(session: PeerSession, features: readonly string[], revision: number): void {
    if (revision <= session.featuresRevision) return;
    session.featuresRevision = revision;
    session.features = [...new Set(features)].sort();
    this.#peers.network.setFeaturesOf(session.connectionId, session.features);
    session.partsSent = session.partsSent.filter((name) => session.features.includes(extensionFeature(name)));
    if (session.state !== 'ready') return;
    const { connectionId } = session;
    this.#peers.ctx.emit(peerFeaturesChanged, { peer: peerOf(session), connectionId, features: [...session.features] });
    this.#sendParts(session, this.#extensions.names());
  }

  /** Sends the parts the peer offers to take and has not had, because either side's plugin came late. */
  #sendParts(session: PeerSession, names: readonly string[]): void {
    const due = names.filter(
      (name) => !session.partsSent.includes(name) && session.features.includes(extensionFeature(name)),
    );
    if (due.length === 0) return;
    session.partsSent.push(...due);
    const parts = this.#extensions.collect(peerOf(session), due);
    if (Object.keys(parts).length > 0) this.#tell(session, sectionsNotice, { sections: parts });
  }

  /** CYC-09: a heartbeat on each connection that is part of the mesh, each on its own clock. */
  keepAlive(): void {
    const { ctx, network } = this.#peers;
    const now = ctx.clock.now();
    for (const session of this.#sessions.values()) {
      if (session.keepAliveDueMs > now || session.state !== 'ready') continue;
      if (network.kindOf(session.connectionId) === 'session') continue;
      session.keepAliveDueMs = now + ctx.config.keepAliveMs;
      this.#tell(session, meshKeepalive, {});
    }
  }

  #tell<M extends typeof featuresNotice | typeof sectionsNotice | typeof meshKeepalive>(
    session: PeerSession,
    message: M,
    body: BodyOf<M>,
  ): void {
    const { ctx } = this.#peers;
    if (!session.features.includes(message.name)) return;
    const { connectionId } = session;
    const sending = ctx.send(peerOf(session), message, body, { connectionId, signal: ctx.signal }).catch((error) => {
      ctx.counters.add(`${message.name}-failed.${codeOf(error)}`);
    });
    this.#peers.ctx.background(message.name, sending);
  }
}
