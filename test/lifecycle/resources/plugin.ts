import {
  BLOB_FILES,
  type Cid,
  defineCommand,
  definePlugin,
  type NodeId,
  SEALER,
  SOCKETS,
  Type,
} from '../../../kernel/index.ts';

const Text = Type.Object({ text: Type.String() });
const DOMAIN = 'test/note/v1';

/** Uses what the kernel owns, as an outside plugin would. */
export default definePlugin({
  name: 'resources',
  version: '1.0.0',
  kernel: '^1',
  about: 'Uses sockets, blob files and the sealer in tests',
  inject: { sockets: SOCKETS, blobs: BLOB_FILES, sealer: SEALER },
  commands: {
    'resources.seal': defineCommand({
      about: 'Seals a text to a node',
      params: Type.Object({ to: Type.String(), text: Type.String() }),
      result: Text,
    }),
    'resources.open': defineCommand({ about: 'Opens what was sealed to this node', params: Text, result: Text }),
    'resources.store': defineCommand({ about: 'Stores a text as a blob', params: Text, result: Text }),
    'resources.load': defineCommand({ about: 'Reads it back', params: Text, result: Text }),
    'resources.wait': defineCommand({ about: 'Stores a blob that never ends', params: Type.Object({}), result: Text }),
    'resources.send': defineCommand({
      about: 'Sends a datagram, from a further socket if asked',
      params: Type.Object({ to: Type.String(), text: Type.String(), further: Type.Optional(Type.Boolean()) }),
      result: Text,
    }),
    'resources.heard': defineCommand({
      about: 'Datagrams that came in',
      params: Type.Object({}),
      result: Type.Object({ texts: Type.Array(Type.String()) }),
    }),
  },
  setup(ctx) {
    const { sockets, blobs, sealer } = ctx.deps;
    const heard: string[] = [];
    const further = new Set<number>();
    return {
      activate() {
        sockets.main.receive(Buffer.from('1'), (bytes, from) => heard.push(`${Buffer.from(bytes)} ${from}`));
      },
      diagnostics: () => ({ further: [...further] }),
      commands: {
        'resources.seal': ({ to, text }) => {
          const key = sealer.publicKeyOf(to as NodeId);
          return { text: Buffer.from(sealer.seal(key, Buffer.from(text), { domain: DOMAIN })).toString('hex') };
        },
        'resources.open': ({ text }) => {
          const opened = sealer.open(Buffer.from(text, 'hex'), { domain: DOMAIN });
          return { text: opened === undefined ? '' : Buffer.from(opened).toString() };
        },
        'resources.store': async ({ text }, { signal }) => {
          const { cid } = await blobs.write([Buffer.from(text)], { maxBytes: 100, signal });
          return { text: cid };
        },
        'resources.load': async ({ text }, { signal }) => {
          let all = '';
          for await (const chunk of blobs.read(text as Cid, { signal })) all += Buffer.from(chunk);
          return { text: all };
        },
        'resources.wait': async (_params, { signal }) => {
          async function* endless() {
            yield Buffer.from('begun');
            await new Promise(() => {});
          }
          return { text: (await blobs.write(endless(), { maxBytes: 100, signal })).cid };
        },
        'resources.send': async ({ to, text, further: fromFurther }) => {
          if (!fromFurther) return { text: sockets.main.send(Buffer.from(text), to, { toldFrom: to }) };
          const socket = await sockets.open();
          further.add(socket.port);
          return { text: socket.send(Buffer.from(text), to, { toldFrom: to }) };
        },
        'resources.heard': () => ({ texts: heard }),
      },
    };
  },
});
