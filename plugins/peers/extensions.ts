import { codeOf } from '../../kernel/index.ts';
import type { Contribution, PeerId } from '../../kernel/index.ts';
import { extensionFeature, HANDSHAKE, SECTION_MAX_BYTES } from './api.ts';
import type { HandshakeExtension } from './api.ts';
import type { PeersPluginContext } from './context.ts';

/** One that takes longer costs itself, and not the handshake, which has 10 s. */
const RECEIVE_LIMIT_MS = 5_000;

/** The contributed parts of the handshake, of which peers itself understands nothing. */
export class HandshakeExtensions {
  readonly #ctx: PeersPluginContext;

  constructor(ctx: PeersPluginContext) {
    this.#ctx = ctx;
  }

  names(): readonly string[] {
    return this.#all().map(({ name }) => name);
  }

  /** Those whose part a peer with these features takes. */
  takenBy(features: Iterable<string>): readonly string[] {
    const offered = new Set(features);
    return this.names().filter((name) => offered.has(extensionFeature(name)));
  }

  /** What to tell a peer in the named parts. Those that fail or are too long are left out. */
  collect(peer: PeerId, names: readonly string[]): Record<string, unknown> {
    const { counters } = this.#ctx;
    const collected: Record<string, unknown> = {};
    for (const extension of this.#all()) {
      const { name } = extension;
      if (!names.includes(name)) continue;
      const value = extension.ask<unknown>((implementation) => implementation.collect(peer), undefined);
      const bytes = sizeOf(value);
      if (bytes === undefined) counters.add(`section-collect-failed.${name}`);
      else if (bytes > SECTION_MAX_BYTES) counters.add(`section-too-large.${name}`);
      else if (bytes > 0) collected[name] = value;
    }
    return collected;
  }

  /** Hands what a peer sent to those it is for, in their order here. A part that nobody contributes to is counted. */
  async receive(peer: PeerId, sections: Readonly<Record<string, unknown>>): Promise<void> {
    const taken = this.#all().filter(({ name }) => Object.hasOwn(sections, name));
    const untaken = Object.keys(sections).length - taken.length;
    if (untaken > 0) this.#ctx.counters.add('section-not-offered', untaken);
    await Promise.all(taken.map((extension) => this.#deliver(extension, peer, sections[extension.name])));
  }

  async #deliver(extension: Contribution<HandshakeExtension>, peer: PeerId, value: unknown): Promise<void> {
    const { name } = extension;
    try {
      await extension.use((implementation) => implementation.receive(peer, value), {
        signal: this.#ctx.signal,
        limitMs: RECEIVE_LIMIT_MS,
      });
    } catch (error) {
      this.#ctx.counters.add(`section-refused.${name}`);
      this.#ctx.log.warn('section-refused', { name, peer: peer.nodeId, code: codeOf(error) });
    }
  }

  #all(): readonly Contribution<HandshakeExtension>[] {
    return this.#ctx.contributions(HANDSHAKE);
  }
}

/** Bytes of its JSON; 0 for what says nothing, `undefined` for what has none. */
function sizeOf(value: unknown): number | undefined {
  try {
    return Buffer.byteLength(JSON.stringify(value) ?? '');
  } catch {
    return undefined;
  }
}
