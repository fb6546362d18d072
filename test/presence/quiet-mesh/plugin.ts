import {
  bind,
  connectionClosed,
  connectionOpened,
  defineCommand,
  defineRequest,
  definePlugin,
  NETWORK,
  Type,
} from '../../../kernel/index.ts';
import type { ConnectionInfo, NodeId } from '../../../kernel/index.ts';
import { LOOKUP_STEP } from '../../../plugins/lookup/api.ts';
import { MESH } from '../../../plugins/mesh/api.ts';
import type { MeshService } from '../../../plugins/mesh/api.ts';
import { HANDSHAKE, parseConnectString, peerGone, peerReady, PEERS } from '../../../plugins/peers/api.ts';
import type { ConnectRequest, PeerInfo, PeersService } from '../../../plugins/peers/api.ts';
import { N1_SHARE, ROUTING } from '../../../plugins/routing/api.ts';
import type { RoutingService } from '../../../plugins/routing/api.ts';
import { DialBudget } from '../../../plugins/peers/dial-budget.ts';

const Hello = Type.Object({
  features: Type.Array(Type.String()),
  sections: Type.Record(Type.String(), Type.Unknown()),
});

const hello = defineRequest({
  name: 'test/hello@1',
  about: 'Features and sections',
  body: Hello,
  maxBytes: 1024 * 1024,
  budget: { perSecond: 10, burst: 100, inFlight: 10 },
  response: { body: Hello, maxBytes: 1024 * 1024 },
});

interface FakeReach {
  layer: 'n1' | 'n2' | 'n3' | 'none';
  n2Reporters: NodeId[];
  n3Reporters: NodeId[];
}

/**
 * Mesh without loops, so that a month of virtual time costs nothing when nothing happens: connections
 * and sections are real, knowledge is what the test says, and nobody is redialled.
 */
export default definePlugin({
  name: 'mesh',
  version: '1.0.0',
  kernel: '^1',
  about: 'Plays mesh in tests',
  inject: { network: NETWORK },
  provides: [PEERS, ROUTING, MESH],
  points: [HANDSHAKE, LOOKUP_STEP, N1_SHARE],
  messages: { hello },
  commands: {
    'peer.connect': defineCommand({
      about: 'Connects',
      params: Type.Object({ target: Type.String() }),
      result: Type.Object({}),
    }),
    'fake.know': defineCommand({
      about: 'Sets what is known: addresses, reach, N+10, N2 of a reporter',
      params: Type.Object({
        addresses: Type.Optional(Type.Record(Type.String(), Type.Array(Type.String()))),
        reach: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
        nplus10: Type.Optional(Type.Array(Type.String())),
      }),
      result: Type.Object({}),
    }),
    'fake.state': defineCommand({
      about: 'Whom others asked to keep, and what they contributed to N1',
      params: Type.Object({}),
      result: Type.Object({
        kept: Type.Array(Type.String()),
        n1: Type.Array(Type.String()),
        dialled: Type.Array(Type.String()),
      }),
    }),
  },
  setup(ctx) {
    const network = ctx.deps.network;
    const ready = new Map<number, { nodeId: NodeId; features: string[] }>();
    const addresses = new Map<NodeId, string[]>();
    const reaches = new Map<NodeId, FakeReach>();
    const kept = new Set<NodeId>();
    const waiting = new Map<number, () => void>();
    /** Whom the test connected to; what others dial gets no slot. */
    const slots = new Set<NodeId>();
    const dialled: string[] = [];
    let nplus10: NodeId[] = [ctx.self.nodeId];

    const own = (connection: ConnectionInfo) => {
      const told: Record<string, unknown> = {};
      for (const part of ctx.contributions(HANDSHAKE)) {
        told[part.name] = part.ask<unknown>(({ collect }) => collect(connection.peer), undefined);
      }
      return { features: [...network.features()], sections: JSON.parse(JSON.stringify(told)) as typeof told };
    };
    const accept = async (connection: ConnectionInfo, body: { features: string[]; sections: object }) => {
      for (const [name, value] of Object.entries(body.sections)) {
        const part = ctx.contributions(HANDSHAKE).find((one) => one.name === name);
        await part?.use(({ receive }) => receive(connection.peer, value)).catch(() => undefined);
      }
      if (network.connection(connection.id) === undefined || ready.has(connection.id)) return;
      const { nodeId } = connection.peer;
      ready.set(connection.id, { nodeId, features: body.features });
      if (connection.direction === 'outbound') addresses.set(nodeId, [connection.remoteAddr]);
      if (network.connection(connection.id)?.kind === 'ephemeral')
        network.setKind(connection.id, slots.has(nodeId) ? 'mesh' : 'session');
      ctx.emit(peerReady, { peer: connection.peer, connectionId: connection.id, features: body.features });
      waiting.get(connection.id)?.();
    };
    const budget = new DialBudget(ctx.clock);
    const connectTo = async (nodeId: NodeId, purpose: string, signal: AbortSignal, given: readonly string[] = []) => {
      if ([...ready.values()].some((peer) => peer.nodeId === nodeId)) return;
      const candidates = [...given];
      for (const step of given.length > 0 ? [] : ctx.contributions(LOOKUP_STEP)) {
        const outcome = await step.use(({ find }) => find(nodeId, { signal, purpose }));
        candidates.push(...(outcome.kind === 'addresses' ? outcome.addresses : []));
      }
      candidates.push(...(addresses.get(nodeId) ?? []));
      if (purpose === 'user') slots.add(nodeId);
      if (candidates.length === 0) throw new Error('no way');
      dialled.push(...candidates);
      const connection = await network.dial({ nodeId, addresses: candidates }, { signal });
      if (!ready.has(connection.id)) await new Promise<void>((resolve) => waiting.set(connection.id, resolve));
    };
    ctx.on(connectionOpened, async (connection) => {
      if (connection.direction === 'inbound' || network.connection(connection.id) === undefined) return;
      const { id: connectionId } = connection;
      await accept(connection, await ctx.send(connection.peer, hello, own(connection), { connectionId }));
    });
    ctx.on(connectionClosed, ({ id, peer, reason }) => {
      if (ready.delete(id)) ctx.emit(peerGone, { peer, connectionId: id, reason });
    });
    const n1 = () => ctx.contributions(N1_SHARE).flatMap((source) => source.ask((named) => [...named()], []));
    const peers: Partial<PeersService> = {
      peers: () =>
        [...ready].flatMap(([id, { features }]) => {
          const connection = network.connection(id);
          return connection === undefined ? [] : [{ ...connection, connectionId: id, features } as unknown as PeerInfo];
        }),
      isPeer: (nodeId) => [...ready.values()].some((peer) => peer.nodeId === nodeId),
      supports: (nodeId, feature) =>
        [...ready.values()].some((peer) => peer.nodeId === nodeId && peer.features.includes(feature)),
      keepReachable: (nodeId) => void kept.add(nodeId),
      forget: (nodeId) => void kept.delete(nodeId),
      addresses: (nodeId) => addresses.get(nodeId) ?? [],
    };
    Object.assign(peers, {
      connectAndRemember: (target: string) => {
        const { nodeId, addresses: given } = parseConnectString(target);
        return connectTo(nodeId, 'user', ctx.signal, given);
      },
      connect: ({ nodeId, purpose, told, at = [], signal = ctx.signal }: ConnectRequest) =>
        connectTo(nodeId, purpose, signal, told === undefined ? at : budget.charge(told.addresses, told.limits)),
    });
    const mesh: Partial<MeshService> = { nplus10: () => nplus10, nplus10Of: () => [] };
    const routing: Partial<RoutingService> = {
      reach: (nodeId: NodeId) => {
        const here = [...ready.values()].some((peer) => peer.nodeId === nodeId);
        const known = reaches.get(nodeId) ?? { layer: 'none', n2Reporters: [], n3Reporters: [] };
        return here ? { ...known, layer: 'n1' } : known;
      },
      n1Changed: () => {},
      n1: () => [...new Set(n1())],
    };

    return {
      services: [
        bind(PEERS, peers as PeersService),
        bind(ROUTING, routing as RoutingService),
        bind(MESH, mesh as MeshService),
      ],
      handlers: {
        hello: async (body, call) => {
          const connection = network.connection(call.connectionId);
          if (connection === undefined) throw new Error('gone');
          const answer = own(connection);
          await accept(connection, body);
          return answer;
        },
      },
      commands: {
        'peer.connect': async ({ target }) => {
          const { nodeId, addresses: given } = parseConnectString(target);
          await connectTo(nodeId, 'user', ctx.signal, given);
          return {};
        },
        'fake.know': (known) => {
          for (const [nodeId, list] of Object.entries(known.addresses ?? {})) addresses.set(nodeId as NodeId, list);
          for (const [nodeId, reach] of Object.entries(known.reach ?? {})) {
            reaches.set(nodeId as NodeId, reach as FakeReach);
          }
          if (known.nplus10 !== undefined) nplus10 = known.nplus10 as NodeId[];
          return {};
        },
        'fake.state': () => ({
          kept: [...kept],
          n1: n1(),
          dialled: [...dialled],
        }),
      },
    };
  },
});
