import { contribute, defineCommand, definePlugin, defineRequest, Type } from '../../../kernel/index.ts';
import { HOLDINGS } from '../../../plugins/worm-search/api.ts';
import type { HoldingSource } from '../../../plugins/worm-search/api.ts';

const take = defineRequest({
  name: 'test/take@1',
  about: 'Gets a blob',
  body: Type.Object({ id: Type.String() }),
  maxBytes: 1_024,
  budget: { perSecond: 100, burst: 100, inFlight: 10 },
  response: { body: Type.Object({ found: Type.Boolean() }), maxBytes: 1_024 },
});

/** Keeps blobs by name only, as a plugin that stores them will. */
export default definePlugin({
  name: 'shelf',
  version: '1.0.0',
  kernel: '^1',
  about: 'Plays a blob store in tests',
  messages: { take },
  commands: {
    'shelf.put': defineCommand({
      about: 'Holds a blob, or knows who does',
      params: Type.Object({ id: Type.String(), holders: Type.Optional(Type.Array(Type.String())) }),
      result: Type.Object({}),
    }),
  },
  setup(ctx) {
    const held = new Set<string>();
    const holders = new Map<string, readonly string[]>();
    const holdings: HoldingSource = {
      kind: 'blob',
      holds: (id) => held.has(id),
      holders: (id) => (holders.get(id) ?? []) as never,
      fetch: async (id, holder, { signal }) => (await ctx.send(holder, take, { id }, { signal })).found,
    };
    return {
      contributes: [contribute(HOLDINGS, holdings)],
      handlers: { take: ({ id }) => ({ found: held.has(id) }) },
      commands: {
        'shelf.put': ({ id, holders: others }) => {
          if (others === undefined) held.add(id);
          else holders.set(id, others);
          return {};
        },
      },
    };
  },
});
