import type { Clock } from '../sdk/clock.ts';
import { messageOf } from '../sdk/errors.ts';
import type { Log } from '../sdk/log.ts';
import type { Contributed, Contribution, Point } from '../sdk/point.ts';
import { ContributionHandle, type Contributor, type Installed } from './contribution.ts';
import { orderContributions } from './point-order.ts';

const NAME = /^[a-z0-9-]+(\/[a-z0-9-]+)*$/;

/**
 * Which contributions there are to which point. They belong to the kernel, so neither a swap of the
 * point's owner nor the order in which plugins start changes anything for a contributor. Each point
 * holds at most its own limit.
 */
export class Points {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #owners = new Map<string, { readonly plugin: string; readonly point: Point<unknown> }>();
  /** By point name, then by contribution name. */
  readonly #installed = new Map<string, Map<string, Installed>>();
  /** Ordered handles by point name; made on demand and dropped when the point changes. */
  readonly #ordered = new Map<string, readonly Contribution<unknown>[]>();

  /** @param own points of the kernel itself, which no plugin can take over */
  constructor(clock: Clock, log: Log, own: readonly Point<unknown>[] = []) {
    this.#clock = clock;
    this.#log = log;
    for (const point of own) this.#owners.set(point.name, { plugin: 'kernel', point });
  }

  /** Why a plugin may not own these points and bring these contributions; `undefined` when it may. */
  problem(plugin: string, points: readonly Point<unknown>[], contributes: readonly Contributed[]): string | undefined {
    for (const { name } of points) {
      const other = this.#owners.get(name)?.plugin;
      if (other !== undefined && other !== plugin) return `the point "${name}" already belongs to ${other}`;
    }
    // What the plugin says of its own points now counts, not what its predecessor said.
    const pointOf = (point: Point<unknown>): Point<unknown> =>
      points.find((own) => own.name === point.name) ?? this.#pointOf(point);
    const fresh = new Map<string, Map<string, Contributed>>();
    for (const contributed of contributes) {
      if (contributed?.kind !== 'contribution') return 'an entry of "contributes" was not made by contribute()';
      const { point } = contributed;
      const name = nameOf(plugin, contributed);
      if (!NAME.test(name)) return `a contribution's name is like "my-plugin/step", not ${JSON.stringify(name)}`;
      const names = fresh.get(point.name) ?? new Map<string, Contributed>();
      if (names.has(name)) return `two contributions to "${point.name}" are named "${name}"`;
      fresh.set(point.name, names.set(name, contributed));
      const misfit = this.#misfit(pointOf(point), contributed);
      if (misfit !== undefined) return `its contribution to "${point.name}" does not fit: ${misfit}`;
    }
    for (const [pointName, names] of fresh) {
      const problem = this.#crowded(plugin, pointName, names, pointOf);
      if (problem !== undefined) return problem;
    }
    return undefined;
  }

  /**
   * Makes a generation's points and contributions the present ones, in place of its predecessor's.
   * Part of the commit: synchronous, and nothing in it fails. Returns the names of points at which
   * something came or went.
   */
  install(
    contributor: Contributor,
    points: readonly Point<unknown>[],
    contributes: readonly Contributed[],
  ): readonly string[] {
    const { plugin } = contributor;
    const before = this.#namesOf(plugin);
    this.#remove(plugin);
    for (const point of points) {
      this.#owners.set(point.name, { plugin, point });
      this.#ordered.delete(point.name);
    }
    for (const contributed of contributes) {
      const name = nameOf(plugin, contributed);
      const names = this.#installed.get(contributed.point.name) ?? new Map<string, Installed>();
      this.#installed.set(contributed.point.name, names.set(name, { name, contributed, contributor }));
      this.#ordered.delete(contributed.point.name);
    }
    return changed(before, this.#namesOf(plugin));
  }

  /** Takes away all that a plugin owns and contributes. Returns the names of points from which something went. */
  withdraw(plugin: string): readonly string[] {
    const before = this.#namesOf(plugin);
    this.#remove(plugin);
    return changed(before, new Set());
  }

  /** The present contributions to a point, in order. */
  contributions<T>(point: Point<T>): readonly Contribution<T>[] {
    const known = this.#ordered.get(point.name);
    const handles = known ?? this.#order(point);
    if (known === undefined) this.#ordered.set(point.name, handles);
    return handles as readonly Contribution<T>[];
  }

  /** Who owns a point now. */
  ownerOf(point: string): string | undefined {
    return this.#owners.get(point)?.plugin;
  }

  /** For `plugin inspect`: what a plugin contributes, as `point: name`. */
  contributedBy(plugin: string): readonly string[] {
    return [...this.#namesOf(plugin)];
  }

  #order(point: Point<unknown>): readonly Contribution<unknown>[] {
    const present = this.#pointOf(point);
    // Its owner may have come later than they, with another limit or check than they were made for.
    const fitting = [...(this.#installed.get(point.name)?.values() ?? [])].filter((entry) => {
      const misfit = this.#misfit(present, entry.contributed);
      if (misfit !== undefined) this.#leftOut(point.name, entry, misfit);
      return misfit === undefined;
    });
    const ordered = orderContributions(
      fitting.map((entry) => ({ ...placeOf(entry.contributed), name: entry.name, entry })),
    );
    // Circles are refused at the door, so there is one only between contributions of a point whose owner is new.
    const entries = 'circle' in ordered ? fitting : ordered.map(({ entry }) => entry);
    for (const entry of entries.slice(present.limit)) this.#leftOut(point.name, entry, `only ${present.limit} may`);
    return Object.freeze(
      entries
        .slice(0, present.limit)
        .map(
          (entry) =>
            new ContributionHandle<unknown>(present, entry, this.#clock, () =>
              this.#installed.get(point.name)?.get(entry.name),
            ),
        ),
    );
  }

  #crowded(
    plugin: string,
    pointName: string,
    fresh: ReadonlyMap<string, Contributed>,
    pointOf: (point: Point<unknown>) => Point<unknown>,
  ): string | undefined {
    const others = [...(this.#installed.get(pointName)?.values() ?? [])].filter(
      ({ contributor }) => contributor.plugin !== plugin,
    );
    const taken = others.find(({ name }) => fresh.has(name));
    if (taken) return `"${taken.name}" at "${pointName}" is a contribution of ${taken.contributor.plugin} already`;
    const [first] = fresh.values();
    const limit = first === undefined ? 0 : pointOf(first.point).limit;
    if (others.length + fresh.size > limit) return `"${pointName}" takes at most ${limit} contributions`;
    const ordered = orderContributions([
      ...others.map(({ name, contributed }) => ({ ...placeOf(contributed), name })),
      ...[...fresh].map(([name, contributed]) => ({ ...placeOf(contributed), name })),
    ]);
    return 'circle' in ordered
      ? `the contributions to "${pointName}" are ordered in a circle: ${ordered.circle.join(', ')}`
      : undefined;
  }

  /** The owner's idea of its point, or the contributor's while there is no owner. */
  #pointOf(point: Point<unknown>): Point<unknown> {
    return this.#owners.get(point.name)?.point ?? point;
  }

  #misfit(point: Point<unknown>, contributed: Contributed): string | undefined {
    try {
      return point.check(contributed.implementation);
    } catch (error) {
      return messageOf(error);
    }
  }

  #leftOut(point: string, { name, contributor }: Installed, problem: string): void {
    this.#log.warn('contribution-left-out', { point, name, plugin: contributor.plugin, problem });
  }

  #namesOf(plugin: string): ReadonlySet<string> {
    const names = new Set<string>();
    for (const [point, entries] of this.#installed) {
      for (const { name, contributor } of entries.values())
        if (contributor.plugin === plugin) names.add(`${point}: ${name}`);
    }
    return names;
  }

  #remove(plugin: string): void {
    for (const [name, owner] of this.#owners) {
      if (owner.plugin !== plugin) continue;
      this.#owners.delete(name);
      this.#ordered.delete(name);
    }
    for (const [point, entries] of this.#installed) {
      for (const { name, contributor } of [...entries.values()]) {
        if (contributor.plugin !== plugin) continue;
        entries.delete(name);
        this.#ordered.delete(point);
      }
      if (entries.size === 0) this.#installed.delete(point);
    }
  }
}

function nameOf(plugin: string, contributed: Contributed): string {
  return contributed.name ?? plugin;
}

function placeOf({ after = [], before = [] }: Contributed): { after: readonly string[]; before: readonly string[] } {
  return { after, before };
}

/** The points of those entries that only one of two sets holds. */
function changed(before: ReadonlySet<string>, after: ReadonlySet<string>): readonly string[] {
  const entries = [
    ...[...before].filter((entry) => !after.has(entry)),
    ...[...after].filter((entry) => !before.has(entry)),
  ];
  return [...new Set(entries.map((entry) => entry.slice(0, entry.indexOf(': '))))];
}
