import { shippedCommands } from '../cli/commands.ts';
import type { CommandDescription } from '../kernel/control/protocol.ts';
import { type Flag, flagsOf } from '../cli/flags.ts';

/** `docs/commands.md`, from the specs of the kernel's commands and of every plugin that ships. */
export async function commandsPage(): Promise<string> {
  const commands = (await shippedCommands()).sort((a, b) => (a.name < b.name ? -1 : 1));
  const owners = [
    'kernel',
    ...new Set(
      commands
        .map(({ plugin }) => plugin)
        .filter((name) => name !== 'kernel')
        .sort(),
    ),
  ];
  return [
    '# Commands',
    '',
    'Generated from the code by `npm run docs`. Every command is a line of `itsgoin`, a method of the control socket',
    '(`post create` is `post.create`, with its parameters as an object) and what the terminal UI does.',
    'All take `--data DIR`, `--json` and `--yes`. Exit codes: 0, 1 for an error, 2 for wrong use.',
    ...owners.flatMap((owner) =>
      section(
        owner,
        commands.filter(({ plugin }) => plugin === owner),
      ),
    ),
    '',
  ].join('\n');
}

function section(owner: string, commands: readonly CommandDescription[]): string[] {
  if (commands.length === 0) return [];
  const heading = owner === 'kernel' ? 'The node itself' : `Plugin ${owner}`;
  return ['', `## ${heading}`, ...commands.flatMap(describe)];
}

function describe({ name, about, kind, params, positional, confirm }: CommandDescription): string[] {
  const flags = flagsOf(params);
  const notes = [
    kind === 'subscription' ? 'Streams until it is stopped.' : '',
    confirm === undefined ? '' : `Asks first: “${confirm}”`,
  ].filter((note) => note !== '');
  return [
    '',
    `### ${usage(name, positional, flags)}`,
    '',
    [`${about}.`, ...notes].join(' '),
    ...(flags.length === 0 ? [] : ['', '| parameter | type | default | |', '|---|---|---|---|', ...flags.map(row)]),
  ];
}

function usage(name: string, positional: readonly string[], flags: readonly Flag[]): string {
  const places = positional.map((place) => {
    const required = flags.find((flag) => flag.name === place)?.required === true;
    return required ? `<${place}>` : `[${place}]`;
  });
  return ['`itsgoin', ...name.split('.'), ...places].join(' ').concat('`');
}

function row({ flag, schema, required, secret }: Flag): string {
  const type = secret ? 'secret' : typeOf(schema);
  const preset = schema.default === undefined ? (required ? 'required' : '') : `\`${JSON.stringify(schema.default)}\``;
  const name = secret ? `--${flag}-file` : `--${flag}`;
  return `| \`${name}\` | ${type} | ${preset} | ${String(schema.description ?? '').replaceAll('|', '\\|')} |`;
}

function typeOf(schema: Readonly<Record<string, unknown>>): string {
  const options = (schema.enum ?? schema.anyOf) as unknown[] | undefined;
  if (options !== undefined) {
    return options
      .map((option) => (typeof option === 'object' && option !== null ? typeOf(option as never) : `\`${option}\``))
      .join(', ');
  }
  if (schema.const !== undefined) return `\`${schema.const}\``;
  if (schema.type === 'array') return `list of ${typeOf((schema.items ?? {}) as never)}`;
  if (schema.format === 'path') return 'path';
  return String(schema.type ?? 'any');
}
