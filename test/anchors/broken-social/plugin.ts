import { bind, defineCommand, definePlugin, Type } from '../../../kernel/index.ts';
import { SOCIAL } from '../../../plugins/social/api.ts';
import type { SocialService } from '../../../plugins/social/api.ts';

/** Gives the user's profile with whatever anchors the test says, and fails when asked for anything else. */
export default definePlugin({
  name: 'social',
  version: '1.0.0',
  kernel: '^1',
  about: 'Fails in tests',
  provides: [SOCIAL],
  commands: {
    'broken.anchors': defineCommand({
      about: 'Sets the anchors of the profile',
      params: Type.Object({ anchors: Type.Array(Type.String()) }),
      result: Type.Object({}),
    }),
  },
  setup() {
    let anchors: string[] = [];
    const service = {
      profile: () => ({ anchors }),
      follows: () => {
        throw new Error('the disk failed');
      },
    };
    return {
      services: [bind(SOCIAL, service as unknown as SocialService)],
      commands: {
        'broken.anchors': (params) => {
          anchors = params.anchors;
          return {};
        },
      },
    };
  },
});
