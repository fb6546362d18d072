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
import { AnchorStatus, AnchorStatusState } from './anchor-status.ts';
import { ReferralServer } from './referral-server.ts';
import { PartitionCheck, PartitionCheckState } from './partition-check.ts';
import { KnownAnchors } from './known-anchors.ts';
import { RecoveryMonitor } from './recovery-monitor.ts';
import { Matchmaking } from './matchmaking.ts';
import { anchorMatch, anchorRegister, anchorTalk, probeRequest, probeResult, referralRequest } from './messages.ts';
import { knownAnchorsTable } from './migrations/0001-known-anchors.ts';
import { ReachabilityProber } from './reachability-prober.ts';
import { ProfileAnchors } from './profile-anchors.ts';
import { Entry } from './referral-list.ts';
import { Bootstrap } from './bootstrap.ts';
import { PeerDirectory } from './peer-directory.ts';
import { AnchorGossip } from './anchor-gossip.ts';
import { ProbeWitness } from './probe-witness.ts';
import { anchorsUi } from './ui.ts';

/** Where a node without peers starts: connect strings in the data directory (ID-07). */
const ANCHORS_FILE = 'anchors.json';
const EXTENSION = 'anchor';

const State = Type.Object({
  declaration: AnchorStatusState,
  isolation: PartitionCheckState,
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
    const directory = new PeerDirectory(anchors);
    const declaration = new AnchorStatus(anchors, directory);
    const gossip = new AnchorGossip(anchors, {
      directory,
      known,
      isDeclared: () => declaration.isDeclared(),
      ownAddresses: () => declaration.ownAddresses(),
    });
    const referralServer = new ReferralServer(anchors, directory, gossip);
    const matches = new Matchmaking(anchors, directory);
    const profileAnchors = new ProfileAnchors(anchors, directory);
    const rejoin = new Bootstrap(anchors, {
      directory,
      known,
      declaration,
      matches,
      profileAnchors,
      bootstrap: () => bootstrap,
      hints: () => gossip.hints(),
    });
    const hasAnchors = async () =>
      known.all().length + bootstrap.length + gossip.hints().length > 0 || (await profileAnchors.isNamed());
    const recoveryMonitor = new RecoveryMonitor(anchors, { directory, known, rejoin, hasAnchors });
    const reachabilityProber = new ReachabilityProber(anchors, directory, declaration);
    const witness = new ProbeWitness(anchors, directory);
    const isolation = new PartitionCheck(anchors, {
      directory,
      rejoin,
      bootstrap: () => bootstrap,
      startedAtMs: () => declaration.state.startedAtMs,
    });
    let restored = false;

    const goneIfAway = (nodeId: NodeId): void => {
      if (directory.isConnected(nodeId)) return;
      referralServer.list.disconnected(nodeId, ctx.clock.now());
      gossip.gone(nodeId);
    };

    ctx.on(peerReady, ({ peer }) => referralServer.list.reconnected(peer.nodeId));
    ctx.on(peerGone, ({ peer }) => {
      goneIfAway(peer.nodeId);
      recoveryMonitor.check();
    });
    ctx.on(connectionClosed, (ended) => anchors.ctx.background('probe', reachabilityProber.closed(ended)));
    ctx.on(meshEmptied, () => recoveryMonitor.check());
    ctx.on(declarationChanged, () => anchors.ctx.background('tell-peers', gossip.tell('everybody')));

    return {
      services: [
        bind(ANCHORS, {
          isDeclared: () => declaration.isDeclared(),
          known: () => known.all(),
          isAnchor: (nodeId) => gossip.isAnchor(nodeId),
          requestReferrals: (options) => rejoin.run('user', undefined, options?.signal),
        }),
      ],
      contributes: [
        ...anchorsUi,

        contribute(
          HANDSHAKE,
          { collect: (peer) => gossip.own(peer.nodeId), receive: (peer, value) => gossip.receive(peer, value) },
          { name: EXTENSION },
        ),
        contribute(LOOKUP_STEP, profileAnchors.step, {
          name: 'profile-anchors',
          after: ['ask-n3-chain', 'preferred-peers'],
        }),
        contribute(N1_SHARE, () => isolation.sticky()),
      ],
      commands: anchorsCommandHandlers({
        directory,
        known,
        gossip,
        referralServer,
        declaration,
        reachabilityProber,
        rejoin,
        isolation,
        bootstrap: () => bootstrap,
        hasAnchors,
        request: (signal) => rejoin.run('user', undefined, signal),
        nowMs: () => ctx.clock.now(),
      }),
      handlers: {
        anchorRegister: ({ addresses }, call) => referralServer.register(addresses, call),
        referralRequest: (_body, call) => referralServer.refer(call),
        anchorMatch: (body, call) => matches.matched(body, call),
        probeRequest: (body, call) => witness.answer(body, call),
        probeResult: (body, call) => reachabilityProber.receive(body, call),
        anchorTalk: (body, call) => gossip.receive(call.peer, body),
      },
      loops: {
        // The checklist, probes that are due, the isolation check, and who left the referral list.
        watch: {
          everyMs: 60_000,
          limitMs: 60_000,
          run: async (signal) => {
            referralServer.list.prune(ctx.clock.now());
            await declaration.review();
            await Promise.all([reachabilityProber.tick(signal), isolation.tick()]);
          },
        },
      },
      activate: async () => {
        network.keepPlaces((nodeId) => known.get(nodeId) !== undefined, ctx.signal);
        await declaration.review();
        for (const nodeId of gossip.declared()) goneIfAway(nodeId);
        for (const { node_id } of referralServer.list.entries()) goneIfAway(node_id);
        if (restored) recoveryMonitor.check();
        else recoveryMonitor.started();
      },
      snapshot: () => ({
        declaration: declaration.state,
        isolation: isolation.state,
        waiting: referralServer.list.entries().map((entry) => ({ ...entry })),
        declaredPeers: [...gossip.declared()],
        waitingAt: [...matches.waitingAt()],
      }),
      restore: (state) => {
        restored = true;
        declaration.restore(state.declaration);
        isolation.restore(state.isolation);
        referralServer.list.restore(state.waiting);
        gossip.restore(state.declaredPeers);
        matches.restore(state.waitingAt);
      },
      diagnostics: () => ({
        is_anchor: declaration.isDeclared(),
        known: known.all().length,
        bootstrap: bootstrap.length,
        waiting_here: referralServer.list.size,
        rejoining: rejoin.isRunning,
        sticky: isolation.sticky(),
      }),
    };
  },
});
