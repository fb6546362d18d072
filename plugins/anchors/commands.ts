import { defineCommand, Type } from '../../kernel/index.ts';
import type { CommandHandlers, NodeId } from '../../kernel/index.ts';
import type { Anchor } from './api.ts';
import type { AnchorStatus } from './anchor-status.ts';
import type { ReferralServer } from './referral-server.ts';
import { anchorsErrors } from './errors.ts';
import type { PartitionCheck } from './partition-check.ts';
import type { KnownAnchors } from './known-anchors.ts';
import type { ReachabilityProber } from './reachability-prober.ts';
import type { Bootstrap } from './bootstrap.ts';
import type { PeerDirectory } from './peer-directory.ts';
import type { AnchorGossip } from './anchor-gossip.ts';

const Listed = Type.Object({
  node_id: Type.String(),
  addresses: Type.Array(Type.String()),
  /** `known`: connected to before. `bootstrap`: of the file or the config. `told`: others named it. */
  source: Type.Union([Type.Literal('known'), Type.Literal('bootstrap'), Type.Literal('told')]),
  last_seen_ms: Type.Optional(Type.Integer()),
  connected: Type.Boolean(),
  says_it_is_one: Type.Boolean(),
});

const Step = Type.Object({
  what: Type.String(),
  node_id: Type.String(),
  took_ms: Type.Integer(),
  result: Type.String(),
});

const Probe = Type.Object({
  at_ms: Type.Integer(),
  cause: Type.String(),
  address: Type.String(),
  witness: Type.String(),
  via: Type.String(),
  outcome: Type.String(),
  reason: Type.String(),
});

export const anchorsCommands = {
  'anchor.list': defineCommand({
    about: 'List anchors in the order in which they are tried',
    params: Type.Object({}),
    result: Type.Object({ anchors: Type.Array(Listed) }),
  }),
  'anchor.explain': defineCommand({
    about: 'Say whether this node is an anchor and why, and what its last look for peers came to',
    params: Type.Object({}),
    result: Type.Object({
      is_anchor: Type.Boolean(),
      operator: Type.String(),
      addresses: Type.Array(Type.String()),
      checklist: Type.Object({
        mapped_or_public_ipv6: Type.Boolean(),
        probed_within_30_min: Type.Boolean(),
        enough_mesh_peers: Type.Boolean(),
        up_long_enough: Type.Boolean(),
        not_mobile: Type.Boolean(),
      }),
      failures_in_a_row: Type.Integer(),
      probes: Type.Array(Probe),
      rejoins: Type.Array(
        Type.Object({
          cause: Type.String(),
          at_ms: Type.Integer(),
          took_ms: Type.Integer(),
          steps: Type.Array(Step),
        }),
      ),
      isolation_checked_ms: Type.Optional(Type.Integer()),
      sticky: Type.Array(Type.String()),
    }),
  }),
  'anchor.referrals': defineCommand({
    about: 'List who waits here to be introduced to others',
    params: Type.Object({}),
    result: Type.Object({
      uses_max: Type.Integer(),
      referrals: Type.Array(
        Type.Object({
          node_id: Type.String(),
          addresses: Type.Array(Type.String()),
          use_count: Type.Integer(),
          disconnected_at: Type.Optional(Type.Integer()),
        }),
      ),
    }),
  }),
  'anchor.request': defineCommand({
    about: 'Ask the anchors for peers now',
    params: Type.Object({}),
    result: Type.Object({ reached: Type.Integer() }),
    text: ({ reached }) =>
      reached === 0 ? 'No anchor answered' : `Reached ${reached} ${reached === 1 ? 'node' : 'nodes'}, anchors included`,
  }),
  'anchor.declare': defineCommand({
    about: 'Decide that this node is an anchor or none, until it restarts; config anchors.declare does it for good',
    params: Type.Object({
      state: Type.Union([Type.Literal('on'), Type.Literal('off'), Type.Literal('auto')], {
        description: 'on, off, or auto for the checklist',
      }),
    }),
    result: Type.Object({ is_anchor: Type.Boolean() }),
    positional: ['state'],
    text: ({ is_anchor }) => (is_anchor ? 'This node is an anchor' : 'This node is no anchor'),
  }),
};

interface CommandParts {
  readonly directory: PeerDirectory;
  readonly known: KnownAnchors;
  readonly gossip: AnchorGossip;
  readonly referralServer: ReferralServer;
  readonly declaration: AnchorStatus;
  readonly reachabilityProber: ReachabilityProber;
  readonly rejoin: Bootstrap;
  readonly isolation: PartitionCheck;
  bootstrap(): readonly Anchor[];
  hasAnchors(): Promise<boolean>;
  request(signal: AbortSignal): Promise<number>;
  nowMs(): number;
}

export function anchorsCommandHandlers(parts: CommandParts): CommandHandlers<typeof anchorsCommands> {
  const { directory, known, gossip, referralServer, declaration, reachabilityProber, rejoin, isolation } = parts;

  const view = ({ nodeId, addresses }: Anchor, source: 'known' | 'bootstrap' | 'told', lastSeenMs?: number) => ({
    node_id: nodeId,
    addresses: [...addresses],
    source,
    ...(lastSeenMs === undefined ? {} : { last_seen_ms: lastSeenMs }),
    connected: directory.isConnected(nodeId),
    says_it_is_one: gossip.isAnchor(nodeId),
  });

  return {
    'anchor.list': () => {
      const seen = new Set<NodeId>();
      const isNew = ({ nodeId }: Anchor): boolean => !seen.has(nodeId) && seen.add(nodeId) !== undefined;
      return {
        anchors: [
          ...known
            .all()
            .filter(isNew)
            .map((anchor) => view(anchor, 'known', anchor.lastSeenMs)),
          ...parts
            .bootstrap()
            .filter(isNew)
            .map((anchor) => view(anchor, 'bootstrap')),
          ...gossip
            .hints()
            .filter(isNew)
            .map((anchor) => view(anchor, 'told')),
        ],
      };
    },
    'anchor.explain': async () => {
      const { operator, failures } = declaration.state;
      const { checkedAtMs } = isolation.state;
      return {
        is_anchor: declaration.isDeclared(),
        operator: operator === 'auto' && declaration.isByOperator ? 'on (config)' : operator,
        addresses: [...declaration.ownAddresses()],
        checklist: await declaration.checklist(),
        failures_in_a_row: failures,
        probes: [...reachabilityProber.records()],
        rejoins: rejoin
          .runs()
          .map(({ cause, at_ms, took_ms, steps }) => ({ cause, at_ms, took_ms, steps: [...steps] })),
        ...(checkedAtMs === 0 ? {} : { isolation_checked_ms: checkedAtMs }),
        sticky: [...isolation.sticky()],
      };
    },
    'anchor.referrals': () => {
      referralServer.list.prune(parts.nowMs());
      return {
        uses_max: referralServer.list.usesMax,
        referrals: referralServer.list.entries().map(({ node_id, addresses, use_count, disconnected_at }) => ({
          node_id,
          addresses,
          use_count,
          ...(disconnected_at === 0 ? {} : { disconnected_at }),
        })),
      };
    },
    'anchor.request': async (_params, call) => {
      if (!(await parts.hasAnchors())) throw anchorsErrors.make('no-anchors');
      call.progress('asking anchors');
      return { reached: await parts.request(call.signal) };
    },
    'anchor.declare': async ({ state }) => {
      await declaration.say(state);
      return { is_anchor: declaration.isDeclared() };
    },
  };
}
