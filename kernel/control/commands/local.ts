import { existsSync, readFileSync } from 'node:fs';
import { Type } from '../../sdk/typebox.ts';
import { exportIdentity, identityPath, importIdentity } from '../../identity/index.ts';
import { readSeed } from '../../identity/keys.ts';
import { resetData, writeFileAtomic } from '../../store/index.ts';
import { type ControlDeps, kernelCommand, type KernelCommands } from '../deps.ts';
import { controlErrors } from '../errors.ts';
import { writePlugin } from '../plugin-template.ts';
import { pluginTestCommand } from './plugin-test.ts';

/** Asked for without echo, or taken from `--passphrase-file` or ITSGOIN_PASSPHRASE, never from a flag's value in `ps`. */
const Passphrase = Type.String({ format: 'password', minLength: 1, description: 'Passphrase of the export' });

/** Commands that need only the data directory: the CLI runs them itself, with or without a node. */
export const localCommands: KernelCommands<Pick<ControlDeps, 'dataDir'>> = {
  'identity.export': kernelCommand(
    {
      about: 'Write the identity, sealed with a passphrase, to a file to keep elsewhere',
      params: Type.Object({
        file: Type.String({ format: 'path', description: 'The file to write; must not exist' }),
        passphrase: Passphrase,
      }),
      result: Type.Object({ file: Type.String() }),
      positional: ['file'],
      text: ({ file }) => `Written: ${file}. Whoever has it and the passphrase is you.`,
    },
    async ({ file, passphrase }, _call, { dataDir }) => {
      if (existsSync(file)) throw controlErrors.make('file-exists', { path: file });
      const seed = readSeed(identityPath(dataDir));
      if (seed === undefined) throw controlErrors.make('no-identity', { dataDir });
      const text = await exportIdentity(seed, passphrase);
      writeFileAtomic(file, Buffer.from(text));
      return { file };
    },
  ),
  'identity.import': kernelCommand(
    {
      about: 'Become the identity of an export; a running node changes at its next start',
      params: Type.Object({
        file: Type.String({ format: 'path', description: 'What `identity export` wrote' }),
        passphrase: Passphrase,
        force: Type.Boolean({ default: false, description: 'Replace another identity; its key is kept beside' }),
      }),
      result: Type.Object({
        node_id: Type.String(),
        changed: Type.Boolean(),
        backup: Type.Union([Type.String(), Type.Null()]),
      }),
      positional: ['file'],
      text: ({ node_id, changed, backup }) =>
        [
          changed ? `This directory is now ${node_id}.` : `This directory was ${node_id} already.`,
          ...(backup === null ? [] : [`The key before is kept as ${backup}`]),
        ].join('\n'),
    },
    async ({ file, passphrase, force }, _call, { dataDir }) => {
      const { nodeId, changed, backup } = await importIdentity(dataDir, read(file), passphrase, { force });
      return { node_id: nodeId, changed, backup: backup ?? null };
    },
  ),
  'plugin.new': kernelCommand(
    {
      about: 'Write a new working plugin with its test; the node loads it and swaps it in on every save',
      params: Type.Object({
        name: Type.String({ description: 'Lower-case letters, digits and dashes' }),
        single: Type.Boolean({ default: false, description: 'One .ts file instead of a folder' }),
      }),
      result: Type.Object({ files: Type.Array(Type.String()) }),
      positional: ['name'],
      text: ({ files }) => ['Written:', ...files.map((file) => `  ${file}`), 'Save a file to swap it in.'].join('\n'),
    },
    ({ name, single }, _call, { dataDir }) => ({ files: writePlugin(dataDir, name, single) }),
  ),
  'plugin.test': pluginTestCommand,
  reset: kernelCommand(
    {
      // Takes the data directory's lock, so it is refused (store/locked) while a node runs.
      about: 'Delete everything stored; the identity, the settings and your plugins stay',
      params: Type.Object({}),
      result: Type.Object({ reset: Type.String() }),
      confirm: 'Delete all posts, follows and files of this node?',
      text: ({ reset }) => `Everything stored in ${reset} is deleted. The identity is the same.`,
    },
    (_params, _call, { dataDir }) => {
      resetData(dataDir);
      return { reset: dataDir };
    },
  ),
};

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw controlErrors.make('no-file', { path: file }, error);
  }
}
