import { definePlugin } from '../../../kernel/index.ts';
import { MESH, offerSection, sectionFeature } from '../../../plugins/mesh/api.ts';

/** A contributor that takes 3 s to take in its section: an exchange that a swap finds under way. */
export default definePlugin({
  name: 'slow-section',
  version: '1.0.0',
  kernel: '^1',
  about: 'Takes its time over its section of the exchange',
  inject: { mesh: { optional: MESH } },
  features: [sectionFeature('slow')],
  setup(ctx) {
    const offer = offerSection(ctx, () => ctx.deps.mesh, 'slow', {
      collect: () => 'slowly',
      receive: () => ctx.clock.sleep(3_000),
    });
    return { activate: offer };
  },
});
