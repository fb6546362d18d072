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
import { MESH, meshReady, parseConnectString, peerGone, peerReady } from '../../../plugins/mesh/api.ts';
import type { ConnectRequest, MeshService, PeerInfo, SectionContribution } from '../../../plugins/mesh/api.ts';
import { DialBudget } from '../../../plugins/mesh/dial-budget.ts';

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
  provides: [MESH],
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
    const sections = new Map<string, SectionContribution>();
    const ready = new Map<number, { nodeId: NodeId; features: string[] }>();
    const addresses = new Map<NodeId, string[]>();
    const reaches = new Map<NodeId, FakeReach>();
    const kept = new Set<NodeId>();
    const sources = new Set<() => Iterable<NodeId>>();
    const steps: { find(target: NodeId, call: { signal: AbortSignal; purpose: string }): Promise<unknown> }[] = [];
    const waiting = new Map<number, () => void>();
    /** Whom the test connected to; what others dial gets no slot. */
    const slots = new Set<NodeId>();
    const dialled: string[] = [];
    let nplus10: NodeId[] = [ctx.self.nodeId];

    const own = (connection: ConnectionInfo) => {
      const told: Record<string, unknown> = {};
      for (const [name, section] of sections) told[name] = section.collect(connection.peer);
      return { features: [...network.features()], sections: JSON.parse(JSON.stringify(told)) as typeof told };
    };
    const accept = async (connection: ConnectionInfo, body: { features: string[]; sections: object }) => {
      for (const [name, value] of Object.entries(body.sections))
        await sections.get(name)?.receive(connection.peer, value);
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
      for (const step of given.length > 0 ? [] : steps) {
        const outcome = (await step.find(nodeId, { signal, purpose })) as { addresses?: string[] };
        candidates.push(...(outcome.addresses ?? []));
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
    const service: Partial<MeshService> = {
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
      contribute: (name, contribution) => {
        sections.set(name, contribution);
        return () => sections.delete(name);
      },
    };
    Object.assign(service, {
      connectAndRemember: (target: string) => {
        const { nodeId, addresses: given } = parseConnectString(target);
        return connectTo(nodeId, 'user', ctx.signal, given);
      },
      connect: ({ nodeId, purpose, told, at = [], signal = ctx.signal }: ConnectRequest) =>
        connectTo(nodeId, purpose, signal, told === undefined ? at : budget.charge(told.addresses, told.limits)),
      nplus10: () => nplus10,
      nplus10Of: () => [],
      reach: (nodeId: NodeId) => {
        const here = [...ready.values()].some((peer) => peer.nodeId === nodeId);
        const known = reaches.get(nodeId) ?? { layer: 'none', n2Reporters: [], n3Reporters: [] };
        return here ? { ...known, layer: 'n1' } : known;
      },
      offerStep: (step: (typeof steps)[number]) => {
        steps.push(step);
        return () => steps.splice(steps.indexOf(step), 1);
      },
      contributeN1: (source: () => Iterable<NodeId>) => {
        sources.add(source);
        return () => sources.delete(source);
      },
      n1Changed: () => {},
      n1: () => [...new Set([...sources].flatMap((source) => [...source()]))],
    });

    return {
      services: [bind(MESH, service as MeshService)],
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
          n1: [...sources].flatMap((source) => [...source()]),
          dialled: [...dialled],
        }),
      },
      activate: () => ctx.emit(meshReady, {}),
    };
  },
});
