import { codeOf } from '../../kernel/index.ts';
import type { Contribution, PeerId } from '../../kernel/index.ts';
import { extensionFeature, HANDSHAKE, SECTION_MAX_BYTES } from './api.ts';
import type { HandshakeExtension } from './api.ts';
import type { PeersPluginContext } from './context.ts';

/** One that takes longer costs itself, and not the handshake, which has 10 s. */
const RECEIVE_LIMIT_MS = 5_000;
/** Nesting of one part: a peer refuses the whole handshake at 64, of which the frame takes a few. */
const PART_DEPTH_MAX = 32;

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
      const json = jsonOf(value);
      if (json === undefined) counters.add(`section-collect-failed.${name}`);
      else if (Buffer.byteLength(json) > SECTION_MAX_BYTES || isDeeperThan(json, PART_DEPTH_MAX)) {
        counters.add(`section-too-large.${name}`);
      }
      // What was measured is sent: the value itself may say something else when it is asked again.
      else if (json !== '') collected[name] = JSON.parse(json);
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

/** Its JSON; empty for what says nothing, `undefined` for what has none. */
function jsonOf(value: unknown): string | undefined {
  try {
    return JSON.stringify(value) ?? '';
  } catch {
    return undefined;
  }
}

/** True when arrays and objects in well-formed JSON lie deeper in one another than `max`. */
function isDeeperThan(json: string, max: number): boolean {
  let depth = 0;
  for (const [token] of json.matchAll(/"(?:[^"\\]|\\.)*"|[[{]|[\]}]/g)) {
    if (token === '[' || token === '{') depth++;
    else if (token === ']' || token === '}') depth--;
    if (depth > max) return true;
  }
  return false;
}
