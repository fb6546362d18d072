import { bind, contribute, definePlugin, Type } from '../../kernel/index.ts';
import { LOOKUP_STEP } from '../lookup/api.ts';
import { HOLDINGS, WORM_SEARCH } from './api.ts';
import { readWormTarget, showActivity, showSearch, wormCommands } from './commands.ts';
import { wormNeeds } from './context.ts';
import { Cooldown } from './cooldown.ts';
import { HolderReputation } from './holder-reputation.ts';
import { Holdings } from './holdings.ts';
import { LocalIndex } from './local-index.ts';
import { wormStep } from './lookup-step.ts';
import { wormQuery } from './messages.ts';
import { wormCooldown } from './migrations/0001-worm-cooldown.ts';
import { Neighbours } from './neighbours.ts';
import { RelayBudget } from './relay-budget.ts';
import { Responder } from './responder.ts';
import { Searcher } from './searcher.ts';
import { Seen, SeenState } from './seen.ts';
import { wormSearchUi } from './ui.ts';

export default definePlugin({
  name: 'worm-search',
  version: '1.0.0',
  kernel: '^1',
  about: 'Finds nodes, posts and blobs beyond three hops',
  inject: wormNeeds,
  provides: [WORM_SEARCH],
  points: [HOLDINGS],
  messages: { wormQuery },
  commands: wormCommands,
  migrations: [wormCooldown],
  state: Type.Object({ seen: SeenState }),
  setup(ctx) {
    const network = ctx.deps.network;
    const neighbours = new Neighbours(ctx, network);
    const holdings = new Holdings(ctx);
    const home = new LocalIndex(network, holdings);
    const seen = new Seen();
    const searcher = new Searcher({
      ctx,
      home,
      neighbours,
      holdings,
      seen,
      cooldown: new Cooldown(ctx.db),
      distrust: new HolderReputation(),
    });
    const responder = new Responder({ ctx, home, neighbours, seen, relays: new RelayBudget(ctx.clock) });

    return {
      services: [
        bind(WORM_SEARCH, {
          find: (target, options) => searcher.find({ ...target, ...readWormTarget(target.kind, target.id) }, options),
        }),
      ],
      contributes: [
        ...wormSearchUi,

        contribute(LOOKUP_STEP, wormStep(searcher, neighbours), {
          after: ['ask-n3-chain', 'preferred-peers', 'profile-anchors'],
        }),
      ],
      handlers: { wormQuery: (query, call) => responder.answer(query, call) },
      commands: {
        'worm.explain': () => showActivity(searcher),
        search: async ({ id, kind = 'node', explain = false }, { signal }) => {
          const target = readWormTarget(kind, id);
          return showSearch(await searcher.find(target, { signal }), explain);
        },
      },
      snapshot: () => ({ seen: seen.snapshot() }),
      restore: (state) => seen.restore(state.seen),
      diagnostics: () => ({ in_flight: searcher.inFlight, seen: seen.size, sources: holdings.kinds() }),
    };
  },
});
