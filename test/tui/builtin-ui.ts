import type { Contributed } from '../../kernel/index.ts';
import { VirtualClock } from '../../kernel/clock/index.ts';
import { CallGate } from '../../kernel/lifecycle/call-gate.ts';
import { Points } from '../../kernel/lifecycle/points.ts';
import { UI_POINTS } from '../../kernel/sdk/ui/index.ts';
import { anchorsUi } from '../../plugins/anchors/ui.ts';
import { contentUi } from '../../plugins/content/ui.ts';
import { keepAliveUi } from '../../plugins/keep-alive/ui.ts';
import { meshUi } from '../../plugins/mesh/ui.ts';
import { peersUi } from '../../plugins/peers/ui.ts';
import { routingUi } from '../../plugins/routing/ui.ts';
import { presenceUi } from '../../plugins/presence/ui.ts';
import { socialUi } from '../../plugins/social/ui.ts';
import { wormSearchUi } from '../../plugins/worm-search/ui.ts';
import { recordingLog } from '../rig/recording-log.ts';
import { readContributions, type UiContributions } from '../../kernel/control/commands/ui.ts';
import type { PluginSummary } from '../../kernel/lifecycle/plugin-host.ts';

const BUILTIN_UI: Readonly<Record<string, readonly Contributed[]>> = {
  anchors: anchorsUi,
  content: contentUi,
  'keep-alive': keepAliveUi,
  mesh: meshUi,
  peers: peersUi,
  routing: routingUi,
  social: socialUi,
  presence: presenceUi,
  'worm-search': wormSearchUi,
};

/** What `ui list` answers with the real contributions of the plugins that come with the node; who is not listed is on. */
export function builtinContributions(
  plugins: readonly Pick<PluginSummary, 'name' | 'state' | 'commands'>[],
): UiContributions {
  const points = new Points(new VirtualClock(), recordingLog(), UI_POINTS);
  for (const [plugin, contributes] of Object.entries(BUILTIN_UI)) {
    if (plugins.some(({ name, state }) => name === plugin && state !== 'active')) continue;
    const problem = points.problem(plugin, [], contributes);
    if (problem !== undefined) throw new Error(problem);
    points.install(
      { plugin, gate: new CallGate(plugin), call: (code) => code(), reportFailure: () => {} },
      [],
      contributes,
    );
  }
  return readContributions({ contributions: (point) => points.contributions(point), list: () => plugins });
}
