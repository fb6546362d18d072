import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, sep } from 'node:path';
import test from 'ava';

/** Where an import may point, from the folder names alone (docs/decisions and the design's arrows). */

interface Import {
  readonly from: string;
  readonly to: string;
  readonly typeOnly: boolean;
}

const ROOT = process.cwd();

function sources(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.tsx?$/.test(file))
    .map((file) => normalize(join(folder, file)).split(sep).join('/'));
}

function importsOf(file: string): Import[] {
  const text = readFileSync(join(ROOT, file), 'utf8');
  const found: Import[] = [];
  for (const match of text.matchAll(
    /^\s*(?:import|export)\s+(type\s)?[^'"`;]*?from\s*'([^']+)'|\bimport\('([^']+)'\)|^import '([^']+)'/gm,
  )) {
    const specifier = (match[2] ?? match[3] ?? match[4]) as string;
    const to = specifier.startsWith('.')
      ? normalize(join(dirname(file), specifier))
          .split(sep)
          .join('/')
      : specifier;
    found.push({ from: file, to, typeOnly: match[1] !== undefined });
  }
  return found;
}

const kernel = sources('kernel').flatMap(importsOf);
const plugins = sources('plugins').flatMap(importsOf);
const show = (imports: Import[]): string[] => imports.map(({ from, to }) => `${from} -> ${to}`);

test('a plugin imports only the kernel door, its own folder, other plugins api.ts and Node itself', (t) => {
  const wrong = plugins.filter(({ from, to }) => {
    if (to.startsWith('node:')) return false;
    const own = from.split('/').slice(0, 2).join('/');
    if (to.startsWith(`${own}/`) || to === 'kernel/index.ts' || /^plugins\/[a-z-]+\/api\.ts$/.test(to)) return false;
    return true;
  });
  t.deepEqual(show(wrong), []);
});

test('the kernel imports nothing above it and names no plugin', (t) => {
  t.deepEqual(show(kernel.filter(({ to }) => /^(plugins|tui|cli|test|bench|sim|scripts)\//.test(to))), []);
});

/** Which folder of the kernel may import which; the files beside the folders put the node together and may import all. */
const KERNEL_ARROWS: Record<string, readonly string[]> = {
  sdk: [],
  clock: ['sdk'],
  observe: ['sdk'],
  command: ['sdk'],
  store: ['clock', 'sdk'],
  bus: ['observe', 'sdk'],
  config: ['sdk', 'store'],
  identity: ['clock', 'sdk', 'store'],
  transport: ['clock', 'identity', 'sdk'],
  wire: ['bus', 'identity', 'sdk', 'transport'],
  lifecycle: ['bus', 'clock', 'command', 'config', 'sdk', 'store', 'wire'],
  control: ['bus', 'clock', 'command', 'config', 'identity', 'lifecycle', 'observe', 'sdk', 'store', 'wire'],
};

test('arrows between the folders of the kernel are those of the table', (t) => {
  const folder = (file: string) => /^kernel\/([^/]+)\//.exec(file)?.[1];
  const wrong = kernel.filter(({ from, to }) => {
    const [own, other] = [folder(from), folder(to)];
    // What tests are written with starts whole nodes; nothing may import it back.
    if (other === 'testing') return own !== 'testing';
    if (own === undefined || own === 'testing' || own === other || !to.startsWith('kernel/')) return false;
    return other === undefined || !KERNEL_ARROWS[own]?.includes(other);
  });
  t.deepEqual(show(wrong), []);
  const drawn = new Set(kernel.map(({ from, to }) => `${folder(from)} -> ${folder(to)}`));
  const unused = Object.entries(KERNEL_ARROWS).flatMap(([own, others]) =>
    others.map((other) => `${own} -> ${other}`).filter((arrow) => !drawn.has(arrow)),
  );
  t.deepEqual(unused, [], 'the table allows no more than there is');
});

test('no files of the kernel import one another in a circle', (t) => {
  t.deepEqual(circles(kernel), []);
  const circle = [
    { from: 'a', to: 'b', typeOnly: true },
    { from: 'b', to: 'c', typeOnly: false },
    { from: 'c', to: 'b', typeOnly: false },
  ];
  t.deepEqual(circles(circle), [['b', 'c']], 'it finds one');
});

/** Groups of files that reach each other; type imports count, because a reader follows them too. */
function circles(imports: readonly Import[]): string[][] {
  const next = new Map<string, Set<string>>();
  for (const { from, to } of imports) next.set(from, (next.get(from) ?? new Set()).add(to));
  const reach = (start: string): Set<string> => {
    const seen = new Set<string>();
    const queue = [start];
    for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
      for (const to of next.get(file) ?? []) {
        if (seen.has(to)) continue;
        seen.add(to);
        queue.push(to);
      }
    }
    return seen;
  };
  const reached = new Map([...next.keys()].map((file) => [file, reach(file)] as const));
  const groups = [...reached].map(([file, seen]) =>
    [...seen].filter((other) => reached.get(other)?.has(file) && seen.has(file)).sort(),
  );
  return [...new Set(groups.filter((group) => group.length > 0).map((group) => group.join(' ')))].map((group) =>
    group.split(' '),
  );
}

test('the terminal UI and the CLI reach the node only through the control client and api types', (t) => {
  const above = [...sources('tui'), ...sources('cli')].flatMap(importsOf);
  const wrong = above.filter(({ to, typeOnly }) => {
    if (/^kernel\/(control|sdk|index\.ts|node\.ts|version\.ts|config|store\/errors\.ts)/.test(to)) return false;
    // What the thread that watches the node reads of it: nothing of the node is loaded there.
    if (to === 'kernel/lifecycle/shared-caller.ts') return false;
    if (/^plugins\//.test(to)) return !(typeOnly && to.endsWith('/api.ts'));
    return /^(kernel|bench|test)\//.test(to);
  });
  t.deepEqual(show(wrong), []);
});

const tui = sources('tui').flatMap(importsOf);

test('no files of the terminal UI import one another in a circle', (t) => {
  t.deepEqual(circles(tui), []);
});

test('the terminal UI and the command line name no topic of a plugin: plugins say what theirs mean', (t) => {
  const textOf = (file: string): string => readFileSync(join(ROOT, file), 'utf8');
  const topics = sources('plugins').flatMap((file) =>
    [...textOf(file).matchAll(/defineTopic<[^(]*\(\s*'([^']+)'/g)].map(([, name = '']) => name),
  );
  t.true(topics.length > 10);
  const wrong = [...sources('tui'), ...sources('cli')].flatMap((file) =>
    topics.filter((topic) => textOf(file).includes(topic)).map((topic) => `${file}: ${topic}`),
  );
  t.deepEqual(wrong, []);
});

test('line mode loads no screen', (t) => {
  const loaded = new Set<string>();
  const load = (file: string): void => {
    if (loaded.has(file)) return;
    loaded.add(file);
    for (const { from, to, typeOnly } of tui) if (from === file && !typeOnly) load(to);
  };
  load('tui/linear.ts');
  load('tui/session.ts');
  t.deepEqual(
    [...loaded].filter((file) => /\.tsx$|^(react|ink)$/.test(file)),
    [],
  );
  t.true(loaded.has('tui/store/panes.ts'));
});

const SOLE_IMPORTERS: Record<string, RegExp> = {
  '@matrixai/quic': /^kernel\/transport\/quic\//,
  'better-sqlite3': /^kernel\/store\//,
  tsyringe: /^kernel\/lifecycle\//,
};

test('the QUIC binding, SQLite and tsyringe are each imported in one kernel folder only', (t) => {
  const wrong = [...kernel, ...plugins].filter(({ from, to }) => {
    const owner = Object.entries(SOLE_IMPORTERS).find(([name]) => to === name || to.startsWith(`${name}/`))?.[1];
    return owner !== undefined && !owner.test(from);
  });
  t.deepEqual(show(wrong), []);
});

test('plugins use the injected clock, random and signals', (t) => {
  const raw =
    /(^|[^.\w])(setTimeout|setInterval|setImmediate|Date\.now|Math\.random|AbortSignal\.(any|timeout)|performance\.now|new Date\(\))\b/;
  const wrong = sources('plugins').flatMap((file) =>
    readFileSync(join(ROOT, file), 'utf8')
      .split('\n')
      .flatMap((line, index) =>
        raw.test(line) && !/^\s*(\*|\/\/)/.test(line) ? [`${file}:${index + 1} ${line.trim()}`] : [],
      ),
  );
  t.deepEqual(wrong, []);
});

/** Whoever dialled past it would dial what it was told without asking whether it may, and for free. */
test('one plugin file dials: the others reach peers through its connect', (t) => {
  const dialling = sources('plugins').filter((file) =>
    /\b(network|NETWORK)\)?\s*\.dial\(/.test(readFileSync(join(ROOT, file), 'utf8')),
  );
  t.deepEqual(dialling, ['plugins/peers/connector.ts']);
});

test('no file is longer than 400 lines without a written reason', (t) => {
  const long = ['kernel', 'plugins', 'tui', 'cli', 'test', 'bench', 'lab', 'sim', 'scripts']
    .flatMap(sources)
    .filter((file) => {
      const text = readFileSync(join(ROOT, file), 'utf8');
      return text.trimEnd().split('\n').length > 400 && !/[Oo]ver 400 lines because/.test(text.replace(/\n \* /g, ' '));
    });
  t.deepEqual(long, []);
});

test('the tree speaks of itself alone', (t) => {
  const words = [
    ['registry', 'npmjs'].join('.'),
    ['registry', 'yarnpkg'].join('.'),
    ['', 'work', ''].join('/'),
    ['', 'root', ''].join('/'),
  ];
  const files = [
    ...['kernel', 'plugins', 'tui', 'cli', 'test', 'bench', 'lab', 'sim', 'scripts'].flatMap(sources),
    'package-lock.json',
    'bench/peers/packages/package-lock.json',
    'README.md',
  ];
  const wrong = files.filter((file) => {
    const text = readFileSync(join(ROOT, file), 'utf8');
    return words.some((word) => text.includes(word));
  });
  t.deepEqual(wrong, []);
});

test('TypeBox has one door, and the build puts what is behind it into one file', (t) => {
  const users = ['kernel', 'plugins', 'cli', 'tui', 'sim'].flatMap(sources).filter((file) => {
    return /from 'typebox/.test(readFileSync(file, 'utf8'));
  });
  t.deepEqual(users, ['kernel/sdk/typebox.ts']);
  t.notRegex(readFileSync('dist/kernel/sdk/typebox.js', 'utf8'), /from ["']typebox/);
});
