import type { UiClock } from '../clock.ts';
import { safeLine } from '../../kernel/sdk/kit/safe-text.ts';
import type { Backend } from './backend.ts';
import { moveCursor, type ListCursor } from './list-cursor.ts';
import { list, numberOr, record } from './post.ts';
import { isAbsent, problemOf } from './problem.ts';
import { createStore, type RedrawPace, type Store } from './store.ts';

/** People kept on the screen; more follows than that are counted but not listed. */
export const PEOPLE_MAX = 5_000;

export interface Person {
  readonly nodeId: string;
  readonly name: string | undefined;
  readonly bio: string;
  readonly followed: boolean;
  readonly followsYou: boolean;
  /** Connected right now. */
  readonly online: boolean;
  readonly lastSeenMs: number | undefined;
  readonly links: readonly Link[];
}

export interface Link {
  readonly deviceId: string;
  readonly kind: string;
  readonly remoteAddr: string;
  readonly connectedAtMs: number;
  readonly lastActivityMs: number;
}

export interface PeopleState {
  /** Online follows, offline follows, then peers who are not followed. */
  readonly people: readonly Person[];
  readonly selected: number;
  readonly filter: string;
  readonly loaded: boolean;
  readonly off: string | undefined;
}

export type Section = 'Online' | 'Offline' | 'Connected, not followed';

export function sectionOf(person: Person): Section {
  if (!person.followed) return 'Connected, not followed';
  return person.online ? 'Online' : 'Offline';
}

/** Profiles read with one refreshing. */
const BIOS_AT_ONCE = 20;

const SECTIONS: readonly Section[] = ['Online', 'Offline', 'Connected, not followed'];

/** Follows and peers as one list (UI-02). Either half may be missing while its plugin is off. */
export class People {
  readonly state: Store<PeopleState>;
  readonly cursor: ListCursor;
  #backend: Backend;
  #clock: UiClock;
  /** Whose bio was read; as many as there are people. */
  readonly #profiled = new Set<string>();
  #visibleOf: { people: readonly Person[]; filter: string; visible: readonly Person[] } | undefined;

  constructor(backend: Backend, clock: UiClock, pace: RedrawPace) {
    this.#backend = backend;
    this.#clock = clock;
    this.state = createStore<PeopleState>({ people: [], selected: 0, filter: '', loaded: false, off: undefined }, pace);
    this.cursor = {
      move: (delta) => this.#select(this.state.get().selected + delta),
      first: () => this.#select(0),
      last: () => this.#select(Number.MAX_SAFE_INTEGER),
    };
  }

  visible(): readonly Person[] {
    const { people, filter } = this.state.get();
    if (this.#visibleOf?.people !== people || this.#visibleOf.filter !== filter) {
      const found = (person: Person) =>
        `${person.name ?? ''} ${person.bio} ${person.nodeId}`.toLowerCase().includes(filter);
      this.#visibleOf = { people, filter, visible: filter === '' ? people : people.filter(found) };
    }
    return this.#visibleOf.visible;
  }

  get selected(): Person | undefined {
    return this.visible()[this.state.get().selected];
  }

  find(nodeId: string): Person | undefined {
    return this.state.get().people.find((person) => person.nodeId === nodeId);
  }

  filter(text: string): void {
    this.state.set({ filter: text.toLowerCase(), selected: 0 });
  }

  /** @throws what neither command answered, but for a plugin that is off */
  async refresh(): Promise<void> {
    const [follows, peers] = await Promise.all([this.#ask('follow.list'), this.#ask('peer.list')]);
    const off = follows.off ?? peers.off;
    const before = this.state.get().people;
    const people = merge(
      follows.off === undefined
        ? list(follows.result.follows).map(record)
        : before.filter((one) => one.followed).map(asFollow),
      list(peers.result.peers).map(record),
      new Map(before.map((person) => [person.nodeId, person])),
      this.#clock.now(),
    );
    const keep = this.selected?.nodeId;
    this.state.set({ people, loaded: true, off });
    const found = this.visible().findIndex((person) => person.nodeId === keep);
    this.#select(found >= 0 ? found : this.state.get().selected);
    if (follows.off === undefined) await this.#readBios();
  }

  /** Has the bio of a node, or of everybody, read again with the next refreshing. */
  forgetProfile(nodeId: string | undefined): void {
    if (nodeId === undefined) this.#profiled.clear();
    else this.#profiled.delete(nodeId);
  }

  /** Bios come one by one, a few with each refreshing; who has no profile is not asked for again until it changes. */
  async #readBios(): Promise<void> {
    const wanted = this.state
      .get()
      .people.filter(({ nodeId }) => !this.#profiled.has(nodeId))
      .slice(0, BIOS_AT_ONCE);
    const bios = new Map<string, string>();
    await Promise.all(
      wanted.map(async ({ nodeId }) => {
        this.#profiled.add(nodeId);
        const profile = await this.#backend
          .call('profile.show', { node_id: nodeId })
          .then(record, () => ({}) as Record<string, unknown>);
        bios.set(nodeId, safeLine(profile.bio, 500));
      }),
    );
    if (bios.size === 0) return;
    const people = this.state.get().people.map((person) => ({ ...person, bio: bios.get(person.nodeId) ?? person.bio }));
    this.state.set({ people });
  }

  async #ask(method: string): Promise<{ result: Record<string, unknown>; off: string | undefined }> {
    try {
      return { result: record(await this.#backend.call(method)), off: undefined };
    } catch (error) {
      const problem = problemOf(error);
      if (!isAbsent(problem)) throw error;
      return { result: {}, off: this.#backend.pluginOff(problem, method) };
    }
  }

  #select(index: number): void {
    this.state.set({ selected: moveCursor(index, 0, this.visible().length) });
  }
}

type Fields = Record<string, unknown>;

function asFollow(person: Person): Fields {
  return { node_id: person.nodeId, display_name: person.name, last_online_ms: person.lastSeenMs };
}

function merge(
  follows: readonly Fields[],
  peers: readonly Fields[],
  before: ReadonlyMap<string, Person>,
  nowMs: number,
): Person[] {
  const links = new Map<string, Link[]>();
  const peerNames = new Map<string, string>();
  for (const peer of peers) {
    const nodeId = safeLine(peer.node_id);
    links.set(nodeId, [...(links.get(nodeId) ?? []), readLink(peer)]);
    const name = safeLine(peer.display_name, 64);
    if (name !== '') peerNames.set(nodeId, name);
  }
  const person = (nodeId: string, fields: Fields, followed: boolean): Person => {
    const own = links.get(nodeId) ?? [];
    const old = before.get(nodeId);
    const lastSeen = own.length > 0 ? nowMs : (numberOr(fields.last_online_ms, undefined) ?? old?.lastSeenMs);
    return {
      nodeId,
      name: safeLine(fields.display_name, 64) || peerNames.get(nodeId) || old?.name,
      bio: old?.bio ?? '',
      followed,
      followsYou: fields.friend === true,
      online: own.length > 0,
      lastSeenMs: lastSeen,
      links: own,
    };
  };
  const followed = new Map(follows.map((fields) => [safeLine(fields.node_id), fields]));
  const all = [...followed].map(([nodeId, fields]) => person(nodeId, fields, true));
  for (const nodeId of links.keys()) if (!followed.has(nodeId)) all.push(person(nodeId, {}, false));
  return all
    .filter(({ nodeId }) => nodeId !== '')
    .sort(bySection)
    .slice(0, PEOPLE_MAX);
}

function readLink(peer: Fields): Link {
  return {
    deviceId: safeLine(peer.device_id),
    kind: safeLine(peer.kind, 24),
    remoteAddr: safeLine(peer.remote_addr, 64),
    connectedAtMs: numberOr(peer.connected_at_ms, 0),
    lastActivityMs: numberOr(peer.last_activity_ms, 0),
  };
}

function bySection(a: Person, b: Person): number {
  const section = SECTIONS.indexOf(sectionOf(a)) - SECTIONS.indexOf(sectionOf(b));
  return section || (a.name ?? '\uffff').localeCompare(b.name ?? '\uffff') || (a.nodeId < b.nodeId ? -1 : 1);
}
