import { peerKey } from '../../kernel/index.ts';
import type { Counters, Log, NodeId, PeerId } from '../../kernel/index.ts';
import { SECTION_MAX_BYTES, sectionFeature } from './api.ts';
import type { SectionContribution } from './api.ts';
import { meshErrors } from './errors.ts';

const SECTIONS_MAX = 16;
const SECTION_NAME = /^[a-z][a-z0-9-]{0,31}$/;
/**
 * Sections kept for a contributor that is on but has not contributed yet: after a swap of mesh that
 * lasts one turn of the event loop. Beyond it the oldest is dropped and counted.
 */
const UNCLAIMED_MAX_BYTES = 8 * 1024 * 1024;

interface Section {
  readonly name: string;
  readonly peer: PeerId;
  readonly value: unknown;
}

interface Unclaimed extends Section {
  readonly bytes: number;
}

/** The contributed parts of the exchange, of which mesh itself understands nothing. */
export class Sections {
  readonly #contributions = new Map<string, SectionContribution>();
  readonly #unclaimed = new Map<string, Unclaimed>();
  readonly #counters: Counters;
  readonly #log: Log;
  readonly #offered: () => readonly string[];
  #unclaimedBytes = 0;

  /** `offered` gives what this node offers: a section whose feature is missing there is nobody's. */
  constructor(deps: { counters: Counters; log: Log; offered: () => readonly string[] }) {
    this.#counters = deps.counters;
    this.#log = deps.log;
    this.#offered = deps.offered;
  }

  names(): readonly string[] {
    return [...this.#contributions.keys()];
  }

  /** Adds a contribution, or replaces the one of that name, and gives it what came before it. */
  add(name: string, contribution: SectionContribution): () => void {
    const full = this.#contributions.size >= SECTIONS_MAX && !this.#contributions.has(name);
    if (full || !SECTION_NAME.test(name)) throw meshErrors.make('bad-section', { name: name.slice(0, 40) });
    this.#contributions.set(name, contribution);
    for (const [key, kept] of this.#unclaimed) {
      if (kept.name !== name) continue;
      this.#drop(key, kept);
      void this.#deliver(contribution, kept);
    }
    return () => {
      // A newer generation of the contributor may have taken the name meanwhile.
      if (this.#contributions.get(name) === contribution) this.#contributions.delete(name);
    };
  }

  /** What to tell a peer: the named sections, or all of them. Those that fail or are too long are left out. */
  collect(peer: PeerId, names: readonly string[]): Record<string, unknown> {
    const collected: Record<string, unknown> = {};
    for (const name of names) {
      try {
        const value = this.#contributions.get(name)?.collect(peer);
        const text = JSON.stringify(value);
        if (text === undefined) continue;
        if (Buffer.byteLength(text) > SECTION_MAX_BYTES) {
          this.#counters.add(`section-too-large.${name}`);
          continue;
        }
        collected[name] = value;
      } catch (error) {
        this.#counters.add(`section-collect-failed.${name}`);
        this.#log.error('section-collect-failed', { name, error });
      }
    }
    return collected;
  }

  /** Hands what a peer sent to its contributors. */
  async receive(peer: PeerId, sections: Readonly<Record<string, unknown>>): Promise<void> {
    const offered = new Set(this.#offered());
    const deliveries: Promise<void>[] = [];
    for (const [name, value] of Object.entries(sections)) {
      if (!SECTION_NAME.test(name)) continue;
      const contribution = this.#contributions.get(name);
      const section = { name, peer, value };
      if (contribution !== undefined) deliveries.push(this.#deliver(contribution, section));
      else if (offered.has(sectionFeature(name)))
        this.#keep({ ...section, bytes: Buffer.byteLength(JSON.stringify(value)) });
      else this.#counters.add('section-not-offered');
    }
    await Promise.all(deliveries);
  }

  label(nodeId: NodeId): string | undefined {
    for (const contribution of this.#contributions.values()) {
      const label = contribution.label?.(nodeId);
      if (label !== undefined) return label;
    }
    return undefined;
  }

  async #deliver(contribution: SectionContribution, section: Section): Promise<void> {
    try {
      await contribution.receive(section.peer, section.value);
    } catch (error) {
      this.#counters.add(`section-refused.${section.name}`);
      this.#log.warn('section-refused', { name: section.name, peer: section.peer.nodeId, error });
    }
  }

  #keep(section: Unclaimed): void {
    const key = `${peerKey(section.peer)}/${section.name}`;
    const earlier = this.#unclaimed.get(key);
    if (earlier !== undefined) this.#drop(key, earlier);
    this.#unclaimed.set(key, section);
    this.#unclaimedBytes += section.bytes;
    for (const [oldestKey, oldest] of this.#unclaimed) {
      if (this.#unclaimedBytes <= UNCLAIMED_MAX_BYTES) break;
      this.#drop(oldestKey, oldest);
      this.#counters.add('section-unclaimed-dropped');
    }
  }

  #drop(key: string, section: Unclaimed): void {
    this.#unclaimed.delete(key);
    this.#unclaimedBytes -= section.bytes;
  }
}
