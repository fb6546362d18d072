import test from 'ava';
import { Type } from '../../kernel/sdk/typebox.ts';
import { splitLine } from '../../cli/command-line.ts';
import { exitCodeOf } from '../../cli/errors.ts';
import { formatEvent, formatResult } from '../../cli/output.ts';
import { oneLine, safeJson } from '../../kernel/sdk/kit/safe-text.ts';
import { runWords } from '../../cli/command-line.ts';
import type { RunResult } from '../../kernel/control/client.ts';
import type { CommandDescription } from '../../kernel/control/protocol.ts';
import type { Terminal } from '../../cli/terminal.ts';

const COMMANDS: CommandDescription[] = [
  {
    name: 'post.create',
    about: 'Write a post',
    plugin: 'content',
    kind: 'call',
    params: Type.Object({
      text: Type.String({ stdin: true }),
      reply_to: Type.Optional(Type.String()),
      copies: Type.Integer({ default: 1 }),
      loud: Type.Boolean({ default: false }),
      tags: Type.Optional(Type.Array(Type.String())),
      kind: Type.Optional(Type.Union([Type.Literal('note'), Type.Literal('link')])),
      json: Type.Optional(Type.String({ description: 'A name the command line has taken' })),
      extra: Type.Optional(Type.Object({})),
      file: Type.Optional(Type.String({ format: 'path' })),
    }) as never,
    result: {},
    positional: ['text'],
  },
  {
    name: 'post.delete',
    about: 'Delete a post',
    plugin: 'content',
    kind: 'call',
    params: Type.Object({ id: Type.String() }) as never,
    result: {},
    positional: ['id'],
    confirm: 'Delete it?',
  },
];

/** What reached the node, what was printed, and the error if one was thrown. */
async function typed(words: string[], answer?: string, piped?: string) {
  const calls: [string, object][] = [];
  const printed: string[] = [];
  const terminal: Terminal = {
    interactive: answer !== undefined,
    columns: 80,
    wide: false,
    out: (text) => printed.push(text),
    err: () => {},
    ask: async () => answer ?? '',
    ...(piped === undefined ? {} : { readAll: async () => piped }),
    status: () => {},
  };
  const client = {
    async run(command: string, params: object): Promise<RunResult> {
      calls.push([command, params]);
      return { result: { id: '7' } };
    },
  };
  const session = {
    dataDir: '/data',
    terminal,
    signal: new AbortController().signal,
    client: async () => client as never,
  };
  const error = await runWords(session, COMMANDS, words).catch((thrown: unknown) => thrown);
  return { calls, printed: printed.join('\n'), error: error as (Error & { code: string; hint: string }) | undefined };
}

test('words become params of the types the command wants', async (t) => {
  const words =
    'post create hello --reply-to x --copies -2 --loud --tags a --tags b --kind link --extra {"a":1} --json';
  const { calls, error } = await typed([...words.split(' '), 'mine', '--file', 'relative.txt']);
  t.is(error, undefined);
  t.deepEqual(calls, [
    [
      'post.create',
      {
        ...{ text: 'hello', reply_to: 'x', copies: -2, loud: true, tags: ['a', 'b'], kind: 'link', extra: { a: 1 } },
        ...{ json: 'mine', file: `${process.cwd()}/relative.txt` },
      },
    ],
  ]);
});

test('a post of several lines could not be piped in', async (t) => {
  t.deepEqual((await typed(['post', 'create', '-'], undefined, 'one\n\ntwo\n')).calls, [
    ['post.create', { text: 'one\n\ntwo' }],
  ]);
  t.deepEqual((await typed(['post', 'create', '-'])).calls, [['post.create', { text: '-' }]], 'in the REPL');
  t.deepEqual((await typed(['post', 'create', 'x', '--reply-to', '-'], undefined, 'piped')).calls, [
    ['post.create', { text: 'x', reply_to: '-' }],
  ]);
});

test('a required param may be given by flag or by place', async (t) => {
  t.deepEqual((await typed(['post', 'create', '--text', '--dashes'])).calls, [['post.create', { text: '--dashes' }]]);
  t.deepEqual((await typed(['post', 'create', '--', '-5'])).calls, [['post.create', { text: '-5' }]]);
});

test('every mistake in typing is one line with a hint and never reaches the node', async (t) => {
  const mistakes: [words: string[], code: string, message: RegExp, hint: RegExp][] = [
    [['post', 'create'], 'cli/missing-param', /^post create needs <text>$/, /--help/],
    [['post', 'create', 'a', 'b'], 'cli/usage', /too many arguments/i, /help/],
    [['post', 'create', 'a', '--copies', 'many'], 'cli/bad-value', /--copies takes a number, not "many"/, /--help/],
    [['post', 'create', 'a', '--copies', '1.5'], 'cli/bad-value', /whole number/, /--help/],
    [['post', 'create', 'a', '--kind', 'rant'], 'cli/bad-value', /one of note, link/, /--help/],
    [['post', 'create', 'a', '--extra', '{'], 'cli/bad-value', /JSON/, /--help/],
    [['post', 'create', '--txt', 'a'], 'cli/usage', /unknown option '--txt'/i, /--text/],
    [['post', 'create', '--text'], 'cli/usage', /argument missing/, /help/],
    [['post', 'creat'], 'cli/usage', /unknown command 'creat'/i, /create/],
    [['pots'], 'cli/usage', /unknown command 'pots'/i, /post/],
    [['post'], 'cli/usage', /^post needs one of: create, delete$/, /post --help/],
    [['--data', '/x', 'post'], 'cli/usage', /^post needs one of/, /post --help/],
    [['post', 'delete', '7'], 'cli/unconfirmed', /Delete it\?/, /--yes/],
  ];
  for (const [words, code, message, hint] of mistakes) {
    const { calls, error } = await typed(words);
    t.is(error?.code, code, words.join(' '));
    t.regex(error?.message ?? '', message);
    t.notRegex(error?.message ?? '', /\n/);
    t.regex(error?.hint ?? '', hint);
    t.is(exitCodeOf(error), 2);
    t.deepEqual(calls, []);
  }
});

test('what cannot be undone is asked about', async (t) => {
  t.is((await typed(['post', 'delete', '7'], 'n')).calls.length, 0);
  t.is((await typed(['post', 'delete', '7'], 'y')).calls.length, 1);
  t.is((await typed(['post', 'delete', '7', '--yes'])).calls.length, 1);
});

test('help lists every command and every flag within 80 columns', async (t) => {
  const all = await typed(['help']);
  t.regex(all.printed, /post\s+create, delete/);
  const one = await typed(['post', 'create', '--help']);
  t.regex(one.printed, /--reply-to <text>/);
  t.deepEqual(
    all.printed
      .split('\n')
      .concat(one.printed.split('\n'))
      .filter((line) => line.length > 80),
    [],
  );
});

test('a typed line splits as in a shell', (t) => {
  t.deepEqual(splitLine(`post create "it's going" --tag 'a b' c\\ d ""  e`), [
    'post',
    'create',
    "it's going",
    '--tag',
    'a b',
    'c d',
    '',
    'e',
  ]);
  t.deepEqual(splitLine('   '), []);
  t.throws(() => splitLine('post "create'), { code: 'cli/open-quote' });
});

test('a table never exceeds the columns, whatever is in it', (t) => {
  const rows = Array.from({ length: 3 }, (_, index) => ({
    node_id: 'ab'.repeat(32),
    name: `日本語 ${index} `.repeat(9),
    connected_at_ms: 1_700_000_000_000,
    about: 'a long text '.repeat(20),
    features: ['a', 'b', 'c', 'd'],
  }));
  const text = formatResult({ peers: rows, next: null }, 80);
  t.deepEqual(
    text.split('\n').filter((line) => [...line].length > 80),
    [],
  );
  t.regex(text, /^node id\s+name/);
  t.is(formatResult({ peers: [] }, 80), '(none)');
});

test('ids in a table were cut so short that no command took them back', (t) => {
  const row = { node_id: 'ab'.repeat(32), device_id: 'cd'.repeat(32) };
  const more = Object.fromEntries(Array.from({ length: 9 }, (_, index) => [`column_${index}`, 'some words']));
  const text = formatResult({ peers: [{ ...row, ...more }] }, 80);
  t.regex(text, /^ababababab… {2}cdcdcdcdcd… {2}/m);
  t.regex(text, /\(no room for: column 5, .*column 8; --json shows all\)$/);
  t.regex(formatResult({ peers: [{ ...row, ...more }] }, Number.POSITIVE_INFINITY), /(cd){32} {2}(some words\s*){9}$/);
});

test('text from elsewhere cannot steer the terminal', (t) => {
  const evil = 'a\x1b]0;owned\x07\x1b[2Jb\u009b31mc\r\nd\u202eefg\u2067\u200b\u{e0041}';
  for (const text of [
    formatResult({ name: evil }, 80),
    formatResult({ rows: [{ name: evil }] }, 80),
    oneLine(evil),
    safeJson({ name: evil }),
  ]) {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: what must not be there
    t.notRegex(text, /[\x00-\x09\x0b-\x1f\x7f-\x9f]|[\u202e\u2067\u200b]|\u{e0041}/u);
  }
  t.deepEqual(JSON.parse(safeJson({ name: evil })), { name: evil });
  const event = { topic: 'a/b', atMs: 0, event: { text: evil } };
  t.notRegex(formatEvent(event), /\n/);
});

test('a moment was shown as a duration of 20778 days', (t) => {
  t.notRegex(formatResult({ last: { at_ms: 1_795_253_797_576 }, next_attempt_ms: 1_795_253_797_576 }, 80), /\d+ d /);
  t.regex(formatResult({ took_ms: 90_000, zombieMs: 300 }, 80), /1 min 30 s(.|\n)*300 ms/);
});

test('an option for starting a node was ignored in front of a command', async (t) => {
  for (const options of [
    ['--port', '5'],
    ['--max-mesh', '5'],
    ['--daemon'],
    ['--bind', '1.2.3.4'],
    ['--log-level', 'debug'],
  ]) {
    const { calls, error } = await typed([...options, 'post', 'create', 'hello']);
    t.is(error?.code, 'cli/usage');
    t.regex(error?.message ?? '', new RegExp(`^${options[0]} is for starting a node`));
    t.deepEqual(calls, []);
  }
});

test('help for a command that is not there named no command', async (t) => {
  t.is((await typed(['help', 'nope'])).error?.message, 'There is no command "nope"');
});
