import { contribute, definePlugin } from '../../../kernel/index.ts';
import { extensionFeature, HANDSHAKE } from '../../../plugins/peers/api.ts';

/** A contributor that takes 3 s to take in its part: a handshake that a swap finds under way. */
export default definePlugin({
  name: 'slow-section',
  version: '1.0.0',
  kernel: '^1',
  about: 'Takes its time over its part of the handshake',
  features: [extensionFeature('slow')],
  setup: (ctx) => ({
    contributes: [
      contribute(HANDSHAKE, { collect: () => 'slowly', receive: () => ctx.clock.sleep(3_000) }, { name: 'slow' }),
    ],
  }),
});
