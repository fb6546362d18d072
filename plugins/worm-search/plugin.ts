import { bind, definePlugin, Type } from '../../kernel/index.ts';
import { WORM_SEARCH, wormSearchReady } from './api.ts';
import { cascadeStep } from './cascade-step.ts';
import { readTarget, showActivity, showSearch, wormCommands } from './commands.ts';
import { wormNeeds } from './context.ts';
import { Cooldown } from './cooldown.ts';
import { Distrust } from './distrust.ts';
import { Holdings } from './holdings.ts';
import { Home } from './home.ts';
import { MeshDoor } from './mesh-door.ts';
import { wormQuery } from './messages.ts';
import { wormCooldown } from './migrations/0001-worm-cooldown.ts';
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
  messages: { wormQuery },
  commands: wormCommands,
  migrations: [wormCooldown],
  state: Type.Object({ seen: SeenState }),
  setup(ctx) {
    const network = ctx.deps.network;
    const mesh = new MeshDoor(ctx, network);
    const holdings = new Holdings();
    const home = new Home(network, holdings);
    const seen = new Seen();
    const searcher = new Searcher({
      ctx,
      home,
      mesh,
      holdings,
      seen,
      cooldown: new Cooldown(ctx.db),
      distrust: new Distrust(),
    });
    const offerStep = mesh.offerStep(cascadeStep(searcher, mesh));
    const responder = new Responder({ ctx, home, mesh, seen, relays: new RelayBudget(ctx.clock) });

    return {
      contributes: wormSearchUi,
      services: [
        bind(WORM_SEARCH, {
          find: (target, options) => searcher.find({ ...target, ...readTarget(target.kind, target.id) }, options),
          contribute: (source) => holdings.add(source),
        }),
      ],
      handlers: { wormQuery: (query, call) => responder.answer(query, call) },
      commands: {
        'worm.explain': () => showActivity(searcher),
        search: async ({ id, kind = 'node', explain = false }, { signal }) => {
          const target = readTarget(kind, id);
          return showSearch(await searcher.find(target, { signal }), explain);
        },
      },
      activate: () => {
        ctx.emit(wormSearchReady, {});
        return offerStep();
      },
      snapshot: () => ({ seen: seen.snapshot() }),
      restore: (state) => seen.restore(state.seen),
      diagnostics: () => ({ in_flight: searcher.inFlight, seen: seen.size, sources: holdings.kinds() }),
    };
  },
});
