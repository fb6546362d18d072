import { definePlugin, defineRequest, Type, withBytes } from '../../../kernel/index.ts';

/** A file of as many bytes as it is asked for; with `stuck` the last one never comes. */
export const readFile = defineRequest({
  name: 'acme/read@1',
  about: 'Answers with a file',
  body: Type.Object({ bytes: Type.Integer({ minimum: 1 }), stuck: Type.Optional(Type.Boolean()) }),
  maxBytes: 256,
  budget: { perSecond: 100, burst: 100, inFlight: 4 },
  response: { body: Type.Object({ by: Type.String() }), maxBytes: 256, raw: { maxBytes: 1_000_000 } },
});

export default definePlugin({
  name: 'files',
  version: '1.0.0',
  kernel: '^1',
  about: 'Serves files in tests',
  messages: { readFile },
  setup: () => ({
    handlers: {
      readFile({ bytes, stuck = false }, { signal, takesBytes }) {
        const answer = { by: 'files' };
        return takesBytes ? withBytes(answer, bytes, fileOf(bytes, stuck ? signal : undefined)) : answer;
      },
    },
  }),
});

async function* fileOf(bytes: number, until: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  yield new Uint8Array(bytes - 1).fill(1);
  if (until !== undefined) await new Promise((resolve) => until.addEventListener('abort', resolve));
  yield Uint8Array.of(2);
}
