import { existsSync, lstatSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { controlErrors } from './errors.ts';

const NAME = /^(?=.{1,40}$)[a-z][a-z0-9]*(-[a-z0-9]+)*$/;

/**
 * Writes a working plugin with its test into `{dataDir}/plugins`: a folder, or one `.ts` file.
 * Gives the paths written. Nothing is ever overwritten.
 *
 * @throws control/bad-name, control/file-exists
 */
export function writePlugin(dataDir: string, name: string, single: boolean): string[] {
  if (!NAME.test(name)) throw controlErrors.make('bad-name', { name });
  const root = join(dataDir, 'plugins');
  for (const taken of [join(root, name), join(root, `${name}.ts`)]) {
    if (existsSync(taken)) throw controlErrors.make('file-exists', { path: taken });
  }
  const folder = single ? root : join(root, name);
  const base = single ? name : 'plugin';
  const files = {
    [`${base}.test.ts`]: testCode(name, base),
    ...(single ? {} : { 'README.md': readme(name) }),
    // Last, so that a node that watches the folder sees it complete.
    [`${base}.ts`]: pluginCode(name),
  };
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  linkPackage(root);
  return Object.entries(files).map(([file, text]) => {
    const path = join(folder, file);
    writeFileSync(path, text, { flag: 'wx' });
    return path;
  });
}

/** Lets `node --test` and editors find `itsgoin` from the data directory; the node itself needs no help. */
function linkPackage(root: string): void {
  const link = join(root, 'node_modules', 'itsgoin');
  if (lstatSync(link, { throwIfNoEntry: false }) !== undefined) return;
  mkdirSync(dirname(link), { recursive: true });
  symlinkSync(packageRoot(), link, 'junction');
}

/** The folder of package.json, whether this runs compiled in `dist/` or as source. */
function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  return folder;
}

const pluginCode = (name: string) => `import { defineCommand, defineExchange, definePlugin, Type } from 'itsgoin';

/** Every peer that runs this plugin answers. A changed message gets a new number after the @. */
const ping = defineExchange({
  name: '${name}/ping@1',
  about: 'Asks a peer for its greeting',
  body: Type.Object({ text: Type.String({ maxLength: 100 }) }),
  response: { body: Type.Object({ text: Type.String({ maxLength: 200 }) }), maxBytes: 1024 },
  maxBytes: 1024,
  budget: { perSecond: 5, burst: 10, inFlight: 4 },
});

const pingCommand = defineCommand({
  about: 'Ask a connected peer for its greeting',
  params: Type.Object({ peer: Type.String({ pattern: '^[0-9a-f]{64}$', description: 'NodeId' }) }),
  result: Type.Object({ text: Type.String() }),
  positional: ['peer'],
});

export default definePlugin({
  name: '${name}',
  version: '0.1.0',
  kernel: '^1',
  about: 'Greets peers that ping it',
  config: Type.Object({ greeting: Type.String({ default: 'hello', maxLength: 90 }) }),
  messages: { ping },
  commands: { '${name}.ping': pingCommand },
  state: Type.Object({ pings: Type.Integer() }),
  setup(ctx) {
    let pings = 0;
    return {
      handlers: {
        ping({ text }) {
          pings++;
          return { text: \`\${ctx.config.greeting}, \${text}\` };
        },
      },
      commands: {
        '${name}.ping': ({ peer }, { signal }) => ctx.send(peer as never, ping, { text: 'you there' }, { signal }),
      },
      loops: { report: { everyMs: 60_000, run: () => ctx.log.info('pings-answered', { pings }) } },
      diagnostics: () => ({ pings }),
      // A reload keeps the count: the old code hands it to the new.
      snapshot: () => ({ pings }),
      restore(state) {
        pings = state.pings;
      },
    };
  },
});
`;

const testCode = (name: string, base: string) => `import assert from 'node:assert/strict';
import test from 'node:test';
import plugin from './${base}.ts';

/** Only what the plugin uses of its context; everything it takes from outside comes through there. */
const context = (over = {}) =>
  ({ config: { greeting: 'hi' }, log: { info() {} }, send: async () => ({ text: '' }), ...over }) as never;

test('answers a ping with its greeting and counts it', async () => {
  const parts = await plugin.setup(context());
  assert.deepEqual(await parts.handlers?.ping({ text: 'Ada' }, {} as never), { text: 'hi, Ada' });
  assert.deepEqual(parts.diagnostics?.(), { pings: 1 });
});

test('the command pings the peer it is given', async () => {
  const peer = 'ab'.repeat(32);
  const send = async (to: string) => ({ text: \`from \${to}\` });
  const parts = await plugin.setup(context({ send }));
  const call = { signal: AbortSignal.timeout(1_000), progress() {} };
  assert.deepEqual(await parts.commands?.['${name}.ping']({ peer }, call), { text: \`from \${peer}\` });
});

test('the count survives a reload', async () => {
  const before = await plugin.setup(context());
  await before.handlers?.ping({ text: 'Ada' }, {} as never);
  const after = await plugin.setup(context());
  after.restore?.(before.snapshot?.() as never);
  assert.deepEqual(after.diagnostics?.(), { pings: 1 });
});
`;

const readme = (name: string) => `# ${name}

Greets peers that ping it. Save a file and the running node swaps the new code in.

| try | |
|---|---|
| \`itsgoin plugin inspect ${name}\` | what it holds now |
| \`itsgoin ${name} ping <nodeid>\` | ask a peer that has it too |
| \`itsgoin config set ${name}.greeting Howdy\` | change a setting while it runs |
| \`node --test plugin.test.ts\` | its test (Node 22.18 or later) |

- Needs: nothing. Message: \`${name}/ping@1\`, at most 5 per second and peer, 1 KiB.
- Off: its command is gone and peers are told "unsupported". Nothing is lost.
`;
