import { definePlugin, defineRequest, Type, withBytes } from '../../../kernel/index.ts';
import { pieces } from '../subjects/subject.ts';

const BUDGET = { perSecond: 1e6, burst: 1e6, inFlight: 1_000 };
const Echo = Type.Object({ id: Type.String({ maxLength: 64 }), n: Type.Integer(), ok: Type.Boolean() });

/** Under codes of the catalogue that no plugin of ours serves, as built-in messages travel. */
export const echo = defineRequest({
  code: 0xd6,
  name: 'TcpPunchRequest',
  about: 'Gives back what it got',
  body: Echo,
  maxBytes: 4_096,
  budget: BUDGET,
  response: { code: 0xd7, name: 'TcpPunchResult', body: Echo, maxBytes: 4_096 },
});

export const bulk = defineRequest({
  code: 0x90,
  name: 'BlobRequest',
  about: 'Answers with as many bytes as were asked for',
  body: Type.Object({ bytes: Type.Integer({ minimum: 0 }) }),
  maxBytes: 256,
  budget: BUDGET,
  response: { code: 0x91, name: 'BlobResponse', body: Type.Object({}), maxBytes: 64, raw: { maxBytes: 2 ** 32 } },
});

export default definePlugin({
  name: 'bench',
  version: '1.0.0',
  kernel: '^1',
  about: 'Answers requests and sends bytes',
  messages: { echo, bulk },
  setup: () => ({
    handlers: {
      echo: (body) => body,
      bulk: ({ bytes }) => withBytes({}, bytes, pieces(bytes)),
    },
  }),
});
