import { codeOf } from '../../kernel/index.ts';
import type { BodyOf } from '../../kernel/index.ts';
import { peerFeaturesChanged, sectionFeature } from './api.ts';
import type { MeshContext } from './context.ts';
import { peerOf } from './links.ts';
import type { Link, Links } from './links.ts';
import { featuresNotice, meshKeepalive, sectionsNotice } from './messages.ts';
import type { OwnSide } from './own-side.ts';
import type { Sections } from './sections.ts';

/** What peers tell each other after the exchange: changed features, late sections, signs of life. */
export class Announcements {
  readonly #mesh: MeshContext;
  readonly #links: Links;
  readonly #own: OwnSide;
  readonly #sections: Sections;

  constructor(mesh: MeshContext, links: Links, own: OwnSide, sections: Sections) {
    this.#mesh = mesh;
    this.#links = links;
    this.#own = own;
    this.#sections = sections;
  }

  /** Tells peers, or one of them, what they should know of us and do not. */
  catchUp(peers: readonly Link[] = this.#links.ready()): void {
    const { features, revision } = this.#own.refresh();
    const sections = this.#sections.names();
    for (const link of peers) {
      if (link.toldRevision < revision) {
        link.toldRevision = revision;
        this.#tell(link, featuresNotice, { features, revision });
      }
      this.#sendSections(link, sections);
    }
  }

  /** Notices can overtake each other and the answer to an exchange, so an older revision than the known one is dropped. */
  receiveFeatures(link: Link, features: readonly string[], revision: number): void {
    if (revision <= link.featuresRevision) return;
    link.featuresRevision = revision;
    link.features = [...new Set(features)].sort();
    this.#mesh.network.setFeaturesOf(link.connectionId, link.features);
    link.sectionsSent = link.sectionsSent.filter((name) => link.features.includes(sectionFeature(name)));
    if (link.state !== 'ready') return;
    const { connectionId } = link;
    this.#mesh.ctx.emit(peerFeaturesChanged, { peer: peerOf(link), connectionId, features: [...link.features] });
    this.#sendSections(link, this.#sections.names());
  }

  /** Sends the sections the peer offers to take and has not had, because either side's plugin came late. */
  #sendSections(link: Link, names: readonly string[]): void {
    const due = names.filter(
      (name) => !link.sectionsSent.includes(name) && link.features.includes(sectionFeature(name)),
    );
    if (due.length === 0) return;
    link.sectionsSent.push(...due);
    const sections = this.#sections.collect(peerOf(link), due);
    if (Object.keys(sections).length > 0) this.#tell(link, sectionsNotice, { sections });
  }

  /** CYC-09: a heartbeat on each connection that is part of the mesh, each on its own clock. */
  keepAlive(): void {
    const { ctx, network } = this.#mesh;
    const now = ctx.clock.now();
    for (const link of this.#links.values()) {
      if (link.keepAliveDueMs > now || link.state !== 'ready') continue;
      if (network.kindOf(link.connectionId) === 'session') continue;
      link.keepAliveDueMs = now + ctx.config.keepAliveMs;
      this.#tell(link, meshKeepalive, {});
    }
  }

  #tell<M extends typeof featuresNotice | typeof sectionsNotice | typeof meshKeepalive>(
    link: Link,
    message: M,
    body: BodyOf<M>,
  ): void {
    const { ctx } = this.#mesh;
    if (!link.features.includes(message.name)) return;
    const { connectionId } = link;
    const sending = ctx.send(peerOf(link), message, body, { connectionId, signal: ctx.signal }).catch((error) => {
      ctx.counters.add(`${message.name}-failed.${codeOf(error)}`);
    });
    this.#mesh.ctx.background(message.name, sending);
  }
}
