import { quantile } from './graph.ts';
import type { Machine } from '../kernel/testing/machine.ts';
import type { Scenario } from './scenario.ts';
import type { Snapshot } from './snapshot.ts';
import type { WireLog } from './wire-log.ts';
import type { World } from './world.ts';

/** What a measure may look at. */
export interface Scene {
  readonly scenario: Scenario;
  readonly world: World;
  readonly wire: WireLog;
  /** Made once an instant, when first asked for. */
  readonly snapshot: () => Snapshot;
  readonly wallMs: () => number;
}

/** Mesh connections of a node that is told nothing else (MESH-01). */
const MAX_MESH = 101;

interface Measure {
  readonly about: string;
  read(scene: Scene): number;
}

/** What scenarios can expect something of, by name. */
export const MEASURES: Readonly<Record<string, Measure>> = {
  online: { about: 'machines that are on', read: ({ world }) => world.up().length },
  partitions: {
    about: 'groups of machines without a way between them',
    read: ({ snapshot }) => snapshot().partitions.length,
  },
  isolated: {
    about: 'machines without a single peer',
    read: ({ snapshot }) => [...snapshot().graph.values()].filter((near) => near.size === 0).length,
  },
  'mesh-min': { about: 'fewest mesh connections of a machine', read: ({ snapshot }) => snapshot().meshCounts[0] ?? 0 },
  'mesh-median': { about: 'median of mesh connections', read: ({ snapshot }) => quantile(snapshot().meshCounts, 0.5) },
  'mesh-max': {
    about: 'most mesh connections of a machine',
    read: ({ snapshot }) => snapshot().meshCounts.at(-1) ?? 0,
  },
  'slots-filled': {
    about: 'smallest share of its slots (or of all others, where they are fewer) that a machine has filled',
    read: (scene) => {
      const { meshCounts } = scene.snapshot();
      return (meshCounts[0] ?? 0) / Math.max(1, Math.min(maxMesh(scene.scenario), meshCounts.length - 1));
    },
  },
  'well-connected': {
    about: 'share of machines that have filled nine tenths of their slots (or of all others, where they are fewer)',
    read: (scene) => {
      const { meshCounts } = scene.snapshot();
      const wanted = 0.9 * Math.min(maxMesh(scene.scenario), meshCounts.length - 1);
      return meshCounts.filter((count) => count >= wanted).length / Math.max(1, meshCounts.length);
    },
  },
  'over-cap': {
    about: 'machines with more mesh connections than they may have',
    read: (scene) => scene.snapshot().meshCounts.filter((count) => count > maxMesh(scene.scenario)).length,
  },
  'honest-slots': {
    about: 'smallest share of honest peers among the mesh connections of a machine of the group `victims`',
    read: ({ world }) => {
      const liars = new Set(world.select('liars').map(({ nodeId }) => nodeId));
      const shares = world.select('victims').map(({ node }) => {
        const mesh = node?.network.connections().filter(({ kind }) => kind === 'mesh') ?? [];
        return mesh.length === 0 ? 0 : mesh.filter(({ peer }) => !liars.has(peer.nodeId)).length / mesh.length;
      });
      return Math.min(...shares);
    },
  },
  'mesh-among-honest': {
    about: 'fewest mesh connections that a machine of the group `honest` that is on has with the others of it',
    read: ({ world }) => fewestAmong(world.select('honest').filter(({ node }) => node)),
  },
  'liar-slots': {
    about: 'most mesh connections that a machine of the group `honest` that is on has with those of `liars`',
    read: ({ world }) => {
      const liars = new Set<string>(world.select('liars').map(({ nodeId }) => nodeId));
      const counts = world.select('honest').map(({ node }) => {
        const mesh = node?.network.connections().filter(({ kind }) => kind === 'mesh') ?? [];
        return mesh.filter(({ peer }) => liars.has(peer.nodeId)).length;
      });
      return Math.max(0, ...counts);
    },
  },
  'liar-quota': {
    about:
      'share of their quota of ids that liars have left with the honest machines they are connected to, on average',
    read: ({ world }) => quotaLeft(world, 'liars'),
  },
  'honest-quota': {
    about: 'share of their quota of ids that honest machines have left with each other, on average',
    read: ({ world }) => quotaLeft(world, 'honest'),
  },
  'ids-refused': {
    about: 'ids that honest machines did not take from peers, as these had no quota left for them',
    read: ({ world }) => honestCount(world, 'ids-over-quota.'),
  },
  'redirects-received': {
    about: 'redirects that honest machines got in answer to their asking for a slot',
    read: ({ world }) => honestCount(world, 'redirects-received'),
  },
  'dials-per-minute': {
    about: 'most dials that a machine of the group `honest` made in a minute, on average since it started',
    read: ({ world }) =>
      Math.max(
        ...world.select('honest').map(({ node, startedAtMs }) => {
          const minutes = Math.max(1, (world.elapsedMs - startedAtMs) / 60_000);
          return (node?.host.inspect('peers').counters.dials ?? 0) / minutes;
        }),
      ),
  },
  'dials-to-stranger': {
    about: 'most dials by one machine at one address where there is no machine at any time',
    read: ({ world }) => Math.max(0, ...world.strangerDials.values()),
  },
  'strangers-dialled': {
    about: 'dials at addresses where there is no machine at any time, by all machines together',
    read: ({ world }) => [...world.strangerDials.values()].reduce((sum, count) => sum + count, 0),
  },
  'nplus10-min': {
    about: 'fewest ids of a machine and its preferred peers',
    read: ({ world }) => Math.min(...world.up().map((machine) => nplus10(machine).length)),
  },
  'nplus10-max': {
    about: 'most ids of a machine and its preferred peers',
    read: ({ world }) => Math.max(...world.up().map((machine) => nplus10(machine).length)),
  },
  'prefer-leavers': {
    about: 'agreements that machines of the group `stayers` have with machines of the group `leavers`',
    read: ({ world }) => {
      const leavers = new Set<string>(world.select('leavers').map(({ nodeId }) => nodeId));
      return world
        .select('stayers')
        .reduce((sum, machine) => sum + nplus10(machine).filter((nodeId) => leavers.has(nodeId)).length, 0);
    },
  },
  'leavers-in-mesh': {
    about: 'mesh connections between machines of the groups `stayers` and `leavers`, as the stayers see them',
    read: ({ world }) => {
      const leavers = new Set<string>(world.select('leavers').map(({ nodeId }) => nodeId));
      return world
        .select('stayers')
        .flatMap(({ node }) => node?.network.connections() ?? [])
        .filter(({ kind, peer }) => kind === 'mesh' && leavers.has(peer.nodeId)).length;
    },
  },
  'mesh-among-stayers': {
    about: 'fewest mesh connections that a machine of the group `stayers` has with the others of it',
    read: ({ world }) => fewestAmong(world.select('stayers')),
  },
  'apart-in-mesh': {
    about: 'mesh connections between two that have each other on their mesh blacklist',
    read: ({ world }) =>
      world.apart.reduce((sum, [one, other]) => {
        const between = one.node?.network.connectionsOf(other.nodeId) ?? [];
        return sum + between.filter(({ kind }) => kind === 'mesh').length;
      }, 0),
  },
  sticky: {
    about: 'machines that keep their bootstrap anchor among their neighbours after the isolation check',
    read: ({ world }) =>
      world.up().filter(({ node }) => {
        const { sticky } = (node?.host.diagnostics('anchors') ?? {}) as { sticky?: readonly string[] };
        return (sticky?.length ?? 0) > 0;
      }).length,
  },
  evictions: {
    about: 'mesh connections given up for a preferred peer that came back',
    read: ({ world }) =>
      world
        .up()
        .reduce((sum, { node }) => sum + (node?.host.inspect('mesh').counters['evicted.preferred-return'] ?? 0), 0),
  },
  'posts-delivered': {
    about: 'share of posts that reached the followers of their author',
    read: ({ world }) => world.posts.delivered(),
  },
  'post-delay-p95-s': {
    about: 'seconds within which 95 % of the posts that arrived did',
    read: ({ world }) =>
      quantile(
        [...world.posts.delaysMs].sort((a, b) => a - b),
        0.95,
      ) / 1_000,
  },
  dials: {
    about: 'dials by all nodes that are on, since each started',
    read: ({ world }) =>
      world.up().reduce((sum, { node }) => sum + (node?.host.inspect('peers').counters.dials ?? 0), 0),
  },
  'commands-refused': {
    about: 'commands of the workload that failed',
    read: ({ world }) => [...world.refused.values()].reduce((sum, count) => sum + count, 0),
  },
  'frames-refused': {
    about: 'frames that a node did not take',
    read: ({ wire }) => [...wire.refused.values()].reduce((sum, count) => sum + count, 0),
  },
  'bytes-per-node-minute': {
    about: 'payload bytes sent by a node in a minute, all messages together',
    read: ({ world, wire, scenario }) =>
      wire.tally().reduce((sum, [, { bytes }]) => sum + bytes, 0) / scenario.nodes / (world.elapsedMs / 60_000),
  },
  frames: {
    about: 'frames sent by all nodes so far: what a run costs, the same on every machine',
    read: ({ wire }) => wire.lines,
  },
  'wall-s': { about: 'seconds of real time', read: ({ wallMs }) => wallMs() / 1_000 },
  'memory-gb': { about: 'most memory this process had', read: () => process.resourceUsage().maxRSS / 1024 / 1024 },
};

function nplus10({ node }: Machine): readonly string[] {
  return (node?.host.diagnostics('mesh') as { nplus10?: readonly string[] } | undefined)?.nplus10 ?? [];
}

/** Fewest mesh connections that one of them has with the others. */
function fewestAmong(machines: readonly Machine[]): number {
  const ids = new Set(machines.map(({ nodeId }) => nodeId));
  return Math.min(
    ...machines.map(({ node }) => {
      const mesh = node?.network.connections().filter(({ kind }) => kind === 'mesh') ?? [];
      return mesh.filter(({ peer }) => ids.has(peer.nodeId)).length;
    }),
  );
}

function quotaLeft(world: World, group: string): number {
  const ids = new Set<string>(world.select(group).map(({ nodeId }) => nodeId));
  const left = world.select('honest').flatMap(({ node }) => {
    if (node === undefined) return [];
    const { knowledge } = node.host.diagnostics('routing') as { knowledge: { doubted: Record<string, number> } };
    const peers = new Set<string>(node.network.connections().map(({ peer }) => peer.nodeId));
    return [...peers].filter((nodeId) => ids.has(nodeId)).map((nodeId) => knowledge.doubted[nodeId] ?? 1);
  });
  return left.reduce((sum, share) => sum + share, 0) / left.length;
}

/** The plugins that make the mesh. */
const CORE = ['peers', 'routing', 'lookup', 'mesh'];

/** Sum of their counters whose names begin so. */
function honestCount(world: World, name: string): number {
  return world
    .select('honest')
    .flatMap(({ node }) => CORE.flatMap((name) => Object.entries(node?.host.inspect(name).counters ?? {})))
    .reduce((sum, [key, count]) => sum + (key.startsWith(name) ? count : 0), 0);
}

function maxMesh({ config }: Scenario): number {
  return Number(config?.mesh?.maxMesh ?? MAX_MESH);
}
