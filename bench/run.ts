/** `npm run bench -- <name> [--json] [--posts N] [--mtu N]`: figures beside a reference measured in the same run. */
import { parseArgs } from 'node:util';

/** What some benchmarks let one choose. */
const CHOICES = { mtu: /^\d{4,5}$/, posts: /^[1-9]\d{2,6}$/ };
type Choice = keyof typeof CHOICES;

interface Bench {
  readonly about: string;
  run(options: { readonly [name in Choice]: number | undefined }): Promise<unknown>;
  /** What is printed of the figures, where they do not make a table as they are. */
  table?(figures: never): Promise<object>;
  readonly takes?: Choice;
}

const BENCHES: Record<string, Bench> = {
  peers: {
    about: 'the whole stack beside hyperdht and libp2p; with --mtu 1500 in a network namespace (root)',
    run: async (options) => (await import('./peers/peers.ts')).measurePeers(options),
    table: async (figures) => (await import('./peers/table.ts')).peersTable(figures),
    takes: 'mtu',
  },
  loss: {
    about: 'whole nodes beside hyperdht at 0, 1 and 5 % loss and 20 and 100 ms; shares beside TCP (root, gcc)',
    run: async () => (await import('./loss/loss.ts')).measureLoss(),
    table: async (figures) => (await import('./loss/loss.ts')).lossTable(figures),
  },
  transport: {
    about: 'bulk and requests: raw driver, full stack, and the engine’s own classes',
    run: async () => (await import('./transport/transport.ts')).measureTransport(),
  },
  ingest: {
    about: 'a follower’s first sync of 10,000 posts, or --posts',
    run: async ({ posts }) => (await import('./ingest/ingest.ts')).measureIngest(posts),
    takes: 'posts',
  },
  feed: {
    about: 'pages of 50 out of a million posts, or --posts',
    run: async ({ posts }) => (await import('./feed/feed.ts')).measureFeed(posts),
    table: async ({ pages, ...whole }: { pages: Record<string, unknown>[] }) => [...pages.map(flat), whole],
    takes: 'posts',
  },
  start: {
    about: 'start-up, idle memory, idle CPU with 100 connections; with --posts in the store',
    run: async ({ posts }) => (await import('./start/start.ts')).measureStart(posts),
    takes: 'posts',
  },
  'idle-mesh': {
    about: 'traffic, CPU and memory of a node with 101 idle mesh peers',
    run: async () => (await import('./idle-mesh/idle-mesh.ts')).measureIdleMesh(),
  },
  knowledge: {
    about: 'the index of N1 to N3 beside a plain Map, and the bytes of a share',
    run: async () => (await import('./knowledge/knowledge.ts')).measureKnowledge(),
  },
  worm: {
    about: 'searches beyond N3 over 10,000 modelled nodes, beside flooding',
    run: async () => (await import('./worm/worm.ts')).measureWorm(),
  },
  reload: {
    about: 'reload of each plugin without load',
    run: async () => (await import('./reload/reload.ts')).measureReload(),
  },
};

const { values, positionals } = parseArgs({
  options: { json: { type: 'boolean' }, mtu: { type: 'string' }, posts: { type: 'string' } },
  allowPositionals: true,
  strict: false,
});
const [name = '', ...rest] = positionals;
const { json, ...choices } = values;
const bench = Object.hasOwn(BENCHES, name) ? BENCHES[name] : undefined;
const isGood = ([key, value]: [string, unknown]): boolean =>
  key === bench?.takes && CHOICES[bench.takes].test(String(value));
if (bench === undefined || rest.length > 0 || !Object.entries(choices).every(isGood)) {
  console.error('Usage: npm run bench -- <name> [--json]');
  for (const [other, { about }] of Object.entries(BENCHES)) console.error(`  ${other.padEnd(10)} ${about}`);
  process.exit(2);
}
const chosen = (choice: Choice): number | undefined =>
  choices[choice] === undefined ? undefined : Number(choices[choice]);
const figures = await bench.run({ mtu: chosen('mtu'), posts: chosen('posts') });
if (json) console.log(JSON.stringify(figures));
else if (bench.table) console.table(await bench.table(figures as never));
else if (Array.isArray(figures)) console.table(figures.map(flat));
else console.table(flat(figures as Record<string, unknown>));
process.exit(0);

/** `{startMs: {median: 1}}` as `{'startMs.median': 1}`, numbers cut to what can be read. */
function flat(record: Record<string, unknown>): Record<string, unknown> {
  const rows: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(record)) {
    if (typeof value === 'object' && value !== null) {
      for (const [inner, nested] of Object.entries(flat(value as Record<string, unknown>)))
        rows[`${key}.${inner}`] = nested;
    } else rows[key] = typeof value === 'number' ? Number(value.toPrecision(4)) : value;
  }
  return rows;
}
