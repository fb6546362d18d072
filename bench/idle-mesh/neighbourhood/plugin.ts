import { contribute, definePlugin } from '../../../kernel/index.ts';
import type { NodeId } from '../../../kernel/index.ts';
import { N1_SHARE } from '../../../plugins/routing/api.ts';

const NEIGHBOURS = 100;

/** Gives a node a neighbourhood that is only told of: as many mesh peers as a node has in a large network. */
export default definePlugin({
  name: 'neighbourhood',
  version: '1.0.0',
  kernel: '^1',
  about: 'Names nodes that are nowhere',
  setup: (ctx) => {
    const ids = Array.from({ length: NEIGHBOURS }, () => Buffer.from(ctx.random.bytes(32)).toString('hex') as NodeId);
    return { contributes: [contribute(N1_SHARE, () => ids)] };
  },
});
