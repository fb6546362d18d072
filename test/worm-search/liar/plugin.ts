import { defineCommand, definePlugin, Type } from '../../../kernel/index.ts';
import { wormQuery } from '../../../plugins/worm-search/messages.ts';
import type { WormResponse } from '../../../plugins/worm-search/finding.ts';

/** Answers queries with what the test says, late or `never` at all, and sends what the test wants. */
export default definePlugin({
  name: 'worm-search',
  version: '1.0.0',
  kernel: '^1',
  about: 'Lies in tests',
  messages: { wormQuery },
  commands: {
    'liar.say': defineCommand({
      about: 'Sets the answer',
      params: Type.Object({ answer: Type.Unknown(), afterMs: Type.Optional(Type.Integer()) }),
      result: Type.Object({}),
    }),
    'liar.heard': defineCommand({ about: 'Queries', params: Type.Object({}), result: Type.Array(Type.Unknown()) }),
    'liar.ask': defineCommand({
      about: 'Sends queries at once; gives the answers and error codes',
      params: Type.Object({ to: Type.String(), queries: Type.Array(Type.Unknown()) }),
      result: Type.Array(Type.Unknown()),
    }),
  },
  setup(ctx) {
    let answer: unknown = {};
    let afterMs = 0;
    const heard: unknown[] = [];
    return {
      handlers: {
        wormQuery: async (query, call) => {
          heard.push(query);
          if (afterMs > 0) await ctx.clock.sleep(afterMs, call.signal);
          if (answer === 'never') await ctx.clock.sleep(60_000, call.signal);
          return answer as WormResponse;
        },
      },
      commands: {
        'liar.say': (params) => {
          answer = params.answer;
          afterMs = params.afterMs ?? 0;
          return {};
        },
        'liar.heard': () => heard,
        'liar.ask': ({ to, queries }) =>
          Promise.all(
            queries.map((query) =>
              ctx.send(to as never, wormQuery, query as never).catch((error: { code: string }) => error.code),
            ),
          ),
      },
    };
  },
});
