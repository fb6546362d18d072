import { bind, connectionClosed, contribute, definePlugin, NodeIdSchema, Type } from '../../kernel/index.ts';
import type { NodeId } from '../../kernel/index.ts';
import { LOOKUP_STEP } from '../lookup/api.ts';
import { meshEmptied } from '../mesh/api.ts';
import { extensionFeature, HANDSHAKE, peerGone, peerReady } from '../peers/api.ts';
import { N1_SHARE } from '../routing/api.ts';
import { ANCHORS, declarationChanged } from './api.ts';
import type { Anchor } from './api.ts';
import { readAnchors, readAnchorsFile } from './bootstrap-list.ts';
import { anchorsCommandHandlers, anchorsCommands } from './commands.ts';
import { AnchorsConfig } from './config.ts';
import { anchorsNeeds } from './context.ts';
import type { AnchorsContext } from './context.ts';
import { Declaration, DeclarationState } from './declaration.ts';
import { Desk } from './desk.ts';
import { Isolation, IsolationState } from './isolation.ts';
import { KnownAnchors } from './known-anchors.ts';
import { Lookout } from './lookout.ts';
import { Matches } from './matches.ts';
import { anchorMatch, anchorRegister, anchorTalk, probeRequest, probeResult, referralRequest } from './messages.ts';
import { knownAnchorsTable } from './migrations/0001-known-anchors.ts';
import { Prober } from './prober.ts';
import { ProfileAnchors } from './profile-anchors.ts';
import { Entry } from './referral-list.ts';
import { Rejoin } from './rejoin.ts';
import { Surroundings } from './surroundings.ts';
import { AnchorTalks } from './talk.ts';
import { WitnessDesk } from './witness.ts';
import { anchorsUi } from './ui.ts';

/** Where a node without peers starts: connect strings in the data directory (ID-07). */
const ANCHORS_FILE = 'anchors.json';
const EXTENSION = 'anchor';

const State = Type.Object({
  declaration: DeclarationState,
  isolation: IsolationState,
  waiting: Type.Array(Entry),
  declaredPeers: Type.Array(NodeIdSchema),
  waitingAt: Type.Array(NodeIdSchema),
});

export default definePlugin({
  name: 'anchors',
  version: '1.0.0',
  kernel: '^1',
  about: 'Finding the network: bootstrap, referrals, recovery, and being an anchor for others',
  config: AnchorsConfig,
  inject: anchorsNeeds,
  provides: [ANCHORS],
  messages: { anchorRegister, referralRequest, anchorMatch, probeRequest, probeResult, anchorTalk },
  commands: anchorsCommands,
  migrations: [knownAnchorsTable],
  features: [extensionFeature(EXTENSION)],
  state: State,
  setup(ctx) {
    const { network, dataFiles } = ctx.deps;
    const anchors: AnchorsContext = { ctx, network };
    const file = dataFiles.read(ANCHORS_FILE);
    const listed: readonly Anchor[] = readAnchors(ctx.config.bootstrap, 'config anchors.bootstrap', ctx.self.nodeId);
    const bootstrap = [...listed, ...(file === undefined ? [] : readAnchorsFile(file, ctx.self.nodeId))];

    const known = new KnownAnchors(ctx.db, network);
    const surroundings = new Surroundings(anchors);
    const declaration = new Declaration(anchors, surroundings);
    const talks = new AnchorTalks(anchors, {
      surroundings,
      known,
      isDeclared: () => declaration.isDeclared(),
      ownAddresses: () => declaration.ownAddresses(),
    });
    const desk = new Desk(anchors, surroundings, talks);
    const matches = new Matches(anchors, surroundings);
    const profileAnchors = new ProfileAnchors(anchors, surroundings);
    const rejoin = new Rejoin(anchors, {
      surroundings,
      known,
      declaration,
      matches,
      profileAnchors,
      bootstrap: () => bootstrap,
      hints: () => talks.hints(),
    });
    const hasAnchors = async () =>
      known.all().length + bootstrap.length + talks.hints().length > 0 || (await profileAnchors.isNamed());
    const lookout = new Lookout(anchors, { surroundings, known, rejoin, hasAnchors });
    const prober = new Prober(anchors, surroundings, declaration);
    const witness = new WitnessDesk(anchors, surroundings);
    const isolation = new Isolation(anchors, {
      surroundings,
      rejoin,
      bootstrap: () => bootstrap,
      startedAtMs: () => declaration.state.startedAtMs,
    });
    let restored = false;

    const goneIfAway = (nodeId: NodeId): void => {
      if (surroundings.isConnected(nodeId)) return;
      desk.list.disconnected(nodeId, ctx.clock.now());
      talks.gone(nodeId);
    };

    ctx.on(peerReady, ({ peer }) => desk.list.reconnected(peer.nodeId));
    ctx.on(peerGone, ({ peer }) => {
      goneIfAway(peer.nodeId);
      lookout.check();
    });
    ctx.on(connectionClosed, (ended) => anchors.ctx.background('probe', prober.closed(ended)));
    ctx.on(meshEmptied, () => lookout.check());
    ctx.on(declarationChanged, () => anchors.ctx.background('tell-peers', talks.tell('everybody')));

    return {
      services: [
        bind(ANCHORS, {
          isDeclared: () => declaration.isDeclared(),
          known: () => known.all(),
          isAnchor: (nodeId) => talks.isAnchor(nodeId),
          requestReferrals: (options) => rejoin.run('user', undefined, options?.signal),
        }),
      ],
      contributes: [
        ...anchorsUi,

        contribute(
          HANDSHAKE,
          { collect: (peer) => talks.own(peer.nodeId), receive: (peer, value) => talks.receive(peer, value) },
          { name: EXTENSION },
        ),
        contribute(LOOKUP_STEP, profileAnchors.step, {
          name: 'profile-anchors',
          after: ['ask-n3-chain', 'preferred-peers'],
        }),
        contribute(N1_SHARE, () => isolation.sticky()),
      ],
      commands: anchorsCommandHandlers({
        surroundings,
        known,
        talks,
        desk,
        declaration,
        prober,
        rejoin,
        isolation,
        bootstrap: () => bootstrap,
        hasAnchors,
        request: (signal) => rejoin.run('user', undefined, signal),
        nowMs: () => ctx.clock.now(),
      }),
      handlers: {
        anchorRegister: ({ addresses }, call) => desk.register(addresses, call),
        referralRequest: (_body, call) => desk.refer(call),
        anchorMatch: (body, call) => matches.matched(body, call),
        probeRequest: (body, call) => witness.answer(body, call),
        probeResult: (body, call) => prober.receive(body, call),
        anchorTalk: (body, call) => talks.receive(call.peer, body),
      },
      loops: {
        // The checklist, probes that are due, the isolation check, and who left the referral list.
        watch: {
          everyMs: 60_000,
          limitMs: 60_000,
          run: async (signal) => {
            desk.list.prune(ctx.clock.now());
            await declaration.review();
            await Promise.all([prober.tick(signal), isolation.tick()]);
          },
        },
      },
      activate: async () => {
        await declaration.review();
        for (const nodeId of talks.declared()) goneIfAway(nodeId);
        for (const { node_id } of desk.list.entries()) goneIfAway(node_id);
        if (restored) lookout.check();
        else lookout.started();
      },
      snapshot: () => ({
        declaration: declaration.state,
        isolation: isolation.state,
        waiting: desk.list.entries().map((entry) => ({ ...entry })),
        declaredPeers: [...talks.declared()],
        waitingAt: [...matches.waitingAt()],
      }),
      restore: (state) => {
        restored = true;
        declaration.restore(state.declaration);
        isolation.restore(state.isolation);
        desk.list.restore(state.waiting);
        talks.restore(state.declaredPeers);
        matches.restore(state.waitingAt);
      },
      diagnostics: () => ({
        is_anchor: declaration.isDeclared(),
        known: known.all().length,
        bootstrap: bootstrap.length,
        waiting_here: desk.list.size,
        rejoining: rejoin.isRunning,
        sticky: isolation.sticky(),
      }),
    };
  },
});
