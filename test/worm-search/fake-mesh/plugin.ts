import { bind, codeOf, defineCommand, definePlugin, NETWORK, Type } from '../../../kernel/index.ts';
import type { NodeId } from '../../../kernel/index.ts';
import { LOOKUP, LOOKUP_STEP } from '../../../plugins/lookup/api.ts';
import type { LookupService } from '../../../plugins/lookup/api.ts';
import { callOff, HANDSHAKE, PEERS } from '../../../plugins/peers/api.ts';
import type { ConnectRequest, PeersService, Told } from '../../../plugins/peers/api.ts';
import { ROUTING } from '../../../plugins/routing/api.ts';
import type { RoutingService } from '../../../plugins/routing/api.ts';
import { DialBudget } from '../../../plugins/peers/dial-budget.ts';

/** Plays mesh: connections are real, who is a mesh peer and what is known of others is what the test says. */
export default definePlugin({
  name: 'mesh',
  version: '1.0.0',
  kernel: '^1',
  about: 'Plays mesh in tests',
  inject: { network: NETWORK },
  provides: [PEERS, ROUTING, LOOKUP],
  points: [HANDSHAKE, LOOKUP_STEP],
  commands: {
    'fake.know': defineCommand({
      about: 'Sets addresses, who reports whom, the N2 that referrals are taken from, and what reporters tell',
      params: Type.Object({
        addresses: Type.Optional(Type.Record(Type.String(), Type.Array(Type.String()))),
        reach: Type.Optional(Type.Record(Type.String(), Type.Array(Type.String()))),
        n2: Type.Optional(Type.Array(Type.String())),
        chain: Type.Optional(Type.Record(Type.String(), Type.Array(Type.String()))),
      }),
      result: Type.Object({}),
    }),
    'fake.step': defineCommand({
      about: 'Runs the step that was offered',
      params: Type.Object({ target: Type.String(), purpose: Type.Optional(Type.String()) }),
      result: Type.Unknown(),
    }),
  },
  setup(ctx) {
    const network = ctx.deps.network;
    const addresses = new Map<string, readonly string[]>();
    const reporters = new Map<string, readonly NodeId[]>();
    const chain = new Map<string, readonly string[]>();
    const budget = new DialBudget(ctx.clock);
    const allowed = ({ addresses, by }: Told): readonly string[] =>
      addresses.filter((address) => network.mayDial(address, network.connectionsOf(by)[0]?.remoteAddr ?? ''));
    let n2: readonly NodeId[] = [];
    const peers = {
      peers: () => network.connections().map((connection) => ({ ...connection, features: ['WormQuery'] })),
      addresses: (nodeId: NodeId) => addresses.get(nodeId) ?? [],
      connect: async ({ nodeId, told, signal }: ConnectRequest) => {
        const charged = told === undefined ? [] : budget.charge(allowed(told));
        const addresses = told === undefined ? (chain.get(nodeId) ?? []) : charged;
        if (told !== undefined && charged.length === 0) throw new Error('nowhere to dial');
        try {
          const connection = await network.dial({ nodeId, addresses }, signal === undefined ? {} : { signal });
          if (charged.includes(connection.remoteAddr)) budget.refund(connection.remoteAddr);
          return connection;
        } catch (error) {
          if (codeOf(signal?.reason) === codeOf(callOff())) for (const address of charged) budget.refund(address);
          throw error;
        }
      },
    };
    const routing = {
      reach: (nodeId: NodeId) => {
        const known = reporters.get(nodeId);
        return { layer: known === undefined ? 'none' : 'n2', n2Reporters: known ?? [], n3Reporters: [] };
      },
      randomN2: () => (n2.length === 0 ? undefined : n2[ctx.random.integer(n2.length)]),
    };
    const lookup: LookupService = {
      locate: async (nodeId, { signal }) => {
        await ctx.clock.sleep(chain.has(nodeId) ? 40 : 60_000, signal);
        return chain.get(nodeId) ?? [];
      },
    };
    return {
      services: [
        bind(PEERS, peers as unknown as PeersService),
        bind(ROUTING, routing as unknown as RoutingService),
        bind(LOOKUP, lookup),
      ],
      commands: {
        'fake.know': (facts) => {
          for (const [id, list] of Object.entries(facts.addresses ?? {})) addresses.set(id, list);
          for (const [id, list] of Object.entries(facts.reach ?? {})) reporters.set(id, list as NodeId[]);
          for (const [id, list] of Object.entries(facts.chain ?? {})) chain.set(id, list);
          if (facts.n2 !== undefined) n2 = facts.n2 as NodeId[];
          return {};
        },
        'fake.step': ({ target, purpose = 'test' }, { signal }) =>
          ctx.contributions(LOOKUP_STEP)[0]?.use(({ find }) => find(target as NodeId, { signal, purpose })),
      },
    };
  },
});
