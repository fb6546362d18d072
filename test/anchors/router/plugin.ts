import { bind, defineCommand, definePlugin, Type } from '../../../kernel/index.ts';
import { PORT_MAPPING } from '../../../plugins/anchors/api.ts';

/** A home router whose port mapping the test makes and takes away. */
export default definePlugin({
  name: 'router',
  version: '1.0.0',
  kernel: '^1',
  about: 'A port mapping for tests',
  provides: [PORT_MAPPING],
  commands: {
    'router.map': defineCommand({
      about: 'Set the mapping; an empty text takes it away',
      params: Type.Object({ address: Type.String() }),
      result: Type.Object({}),
    }),
  },
  setup: () => {
    let mapping: string | undefined;
    return {
      services: [bind(PORT_MAPPING, { externalAddress: () => mapping })],
      commands: {
        'router.map': ({ address }) => {
          mapping = address === '' ? undefined : address;
          return {};
        },
      },
    };
  },
});
