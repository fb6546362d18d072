import { bind, defineCommand, definePlugin, Type } from '../../../kernel/index.ts';
import type { NodeId } from '../../../kernel/index.ts';
import { greeted, GREETER, ping } from './api.ts';

/** Greets whoever asks, and counts them. */
export default definePlugin({
  name: 'greeter',
  version: '1.0.0',
  kernel: '^1',
  about: 'Greets peers in tests',
  config: Type.Object({ greeting: Type.String({ default: 'hello' }) }),
  provides: [GREETER],
  messages: { ping },
  commands: {
    'greeter.ping': defineCommand({
      about: 'Ask a peer',
      params: Type.Object({ peer: Type.String() }),
      result: Type.Object({ text: Type.String() }),
    }),
    'greeter.wait': defineCommand({
      about: 'Waits for ever',
      params: Type.Object({}),
      result: Type.Object({}),
    }),
  },
  state: Type.Object({ count: Type.Integer() }),
  setup(ctx) {
    let count = 0;
    return {
      handlers: {
        ping({ text }, { peer }) {
          count++;
          ctx.emit(greeted, { peer: peer.nodeId });
          return { text: `${ctx.config.greeting}, ${text}` };
        },
      },
      commands: {
        'greeter.ping': ({ peer }, { signal }) => ctx.send(peer as NodeId, ping, { text: 'you' }, { signal }),
        'greeter.wait': () => new Promise<never>(() => {}),
      },
      services: [bind(GREETER, { count: () => count })],
      snapshot: () => ({ count }),
      restore(state) {
        count = state.count;
      },
    };
  },
});
