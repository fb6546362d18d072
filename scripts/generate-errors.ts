import { readdirSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { join, resolve } from 'node:path';
import type { ErrorCatalogue } from '../kernel/sdk/errors.ts';

/** `docs/errors.md`, from every error catalogue that some `errors.js` under the compiled tree exports. */
export async function errorsPage(dist: string): Promise<string> {
  const catalogues = (await Promise.all(errorFiles(dist).map(cataloguesOf))).flat();
  catalogues.sort((a, b) => (a.area < b.area ? -1 : 1));
  return [
    '# Errors',
    '',
    'Generated from the code by `npm run docs`. Programs branch on the code alone; texts may change.',
    'A command that fails prints the message, the code and the hint; with `--json` as one object on stderr.',
    '',
    '*again*: the same call may succeed later. *peer*: a remote peer may be told this code, never the message.',
    ...catalogues.flatMap(section),
    '',
  ].join('\n');
}

function errorFiles(dist: string): string[] {
  return ['kernel', 'plugins', 'tui', 'cli'].flatMap((folder) =>
    readdirSync(join(dist, folder), { recursive: true, encoding: 'utf8' })
      .filter((file) => /(^|[\\/])errors\.js$/.test(file))
      .map((file) => resolve(dist, folder, file)),
  );
}

async function cataloguesOf(file: string): Promise<ErrorCatalogue<string>[]> {
  const exported: unknown[] = Object.values((await import(pathToFileURL(file).href)) as object);
  return exported.filter(isCatalogue);
}

function isCatalogue(value: unknown): value is ErrorCatalogue<string> {
  return typeof value === 'object' && value !== null && 'area' in value && 'specs' in value && 'make' in value;
}

function section({ area, specs }: ErrorCatalogue<string>): string[] {
  const cell = (text: string) => text.replaceAll('|', '\\|');
  return [
    '',
    `## ${area}`,
    '',
    '| code | message | hint | |',
    '|---|---|---|---|',
    ...Object.entries(specs)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, { message, hint = '', retryable = false, peerVisible = false }]) => {
        const marks = [retryable ? '*again*' : '', peerVisible ? '*peer*' : '']
          .filter((mark) => mark !== '')
          .join(', ');
        return `| \`${area}/${name}\` | ${cell(message)} | ${cell(hint)} | ${marks} |`;
      }),
  ];
}
