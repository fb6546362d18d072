import { defineCommand, definePlugin, Type } from '../../../kernel/index.ts';
import { postFetch } from '../../../plugins/content/api.ts';

/** Holds whatever post the test says, under any id it is asked for. */
export default definePlugin({
  name: 'content',
  version: '1.0.0',
  kernel: '^1',
  about: 'Forges posts in tests',
  messages: { postFetch },
  commands: {
    'forger.hold': defineCommand({
      about: 'Sets the post',
      params: Type.Object({ post: Type.Unknown() }),
      result: Type.Object({}),
    }),
  },
  setup() {
    let held: unknown;
    return {
      handlers: { postFetch: () => (held === undefined ? { found: false } : { found: true, post: held }) },
      commands: {
        'forger.hold': ({ post }) => {
          held = post;
          return {};
        },
      },
    };
  },
});
