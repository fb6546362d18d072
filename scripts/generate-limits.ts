import { readFileSync, readdirSync } from 'node:fs';
import { hexCode } from '../kernel/wire/catalogue.ts';
import { servedMessages } from './generate-protocol.ts';

interface Constant {
  readonly name: string;
  readonly value: string;
  readonly why: string;
}

/** A constant of the house style: named in capitals, made of numbers and other constants, with or without its reason. */
const CONSTANT =
  /(?:^\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\n)?^(?:export )?const ([A-Z][A-Z0-9_]*) = ([0-9A-Z_][0-9A-Z_a-z.*+\-/ ()]*);(?: *\/\/ *(.*))?$/gm;
/** Names of bounds and times; codes and offsets are not limits. */
const LIMIT =
  /_(MS|BYTES|MAX|CHARS|ENTRIES|RECORDS|FRAMES|POINTS|HOURS|DAYS|PER_SECOND|LIMIT|COUNT|DEPTH_MAX)$|_MAX_|^MAX_/;

/** `docs/limits.md`: what every message may cost, and every bound of the kernel and the plugins with its reason. */
export async function limitsPage(dist: string): Promise<string> {
  const served = await servedMessages(dist);
  // The bounds of the test kit bind no node.
  const ofNode = sources('kernel').filter((file) => !file.startsWith('kernel/testing/'));
  const files = [...ofNode, ...sources('plugins')].sort();
  return [
    '# Limits',
    '',
    'Generated from the code by `npm run docs`.',
    '',
    '## Messages',
    '',
    'Per peer: *rate* a second, *burst* on top, *in flight* at the same time. The deadline runs from the first byte to the',
    'end of the handler, and at the sender to the answer.',
    '',
    '| code | name | plugin | request bytes | response bytes | deadline ms | rate | burst | in flight |',
    '|---|---|---|---:|---:|---:|---:|---:|---:|',
    ...served.map(({ plugin, message: { code, name, maxBytes, response, deadlineMs, budget } }) =>
      [
        '',
        hexCode(code ?? 0xf0),
        name,
        plugin,
        grouped(maxBytes),
        response === undefined ? '' : grouped(response.maxBytes),
        grouped(deadlineMs),
        grouped(budget.perSecond),
        grouped(budget.burst),
        grouped(budget.inFlight),
        '',
      ]
        .join(' | ')
        .trim(),
    ),
    ...files.flatMap(section),
    '',
  ].join('\n');
}

function sources(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.tsx?$/.test(file))
    .map((file) => `${folder}/${file.replaceAll('\\', '/')}`);
}

function section(file: string): string[] {
  const constants = constantsOf(readFileSync(file, 'utf8'));
  if (constants.length === 0) return [];
  return [
    '',
    `## ${file.replace(/\.tsx?$/, '')}`,
    '',
    '| name | value | why |',
    '|---|---|---|',
    ...constants.map(({ name, value, why }) => `| \`${name}\` | ${value} | ${why} |`),
  ];
}

function constantsOf(text: string): Constant[] {
  return [...text.matchAll(CONSTANT)].flatMap(([, comment, name, value, trailing]) => {
    if (name === undefined || value === undefined || !LIMIT.test(name)) return [];
    const why = (comment ?? trailing ?? '')
      .replace(/^\s*\*/gm, '')
      .replace(/\s+/g, ' ')
      .replaceAll('|', '\\|')
      .trim();
    return [
      {
        name,
        value: value
          .replaceAll('**', '^')
          .replaceAll('*', '×')
          .replace(/(?<=\d)_(?=\d)/g, ','),
        why,
      },
    ];
  });
}

function grouped(value: number): string {
  return value.toLocaleString('en-US');
}
