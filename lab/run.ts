/** `npm run lab -- up|exec|show|link|nat|down`: see lab/README.md. */
import { spawn } from 'node:child_process';
import { parseArgs } from 'node:util';
import { Lab } from './lab.ts';
import { LabError } from './nodes.ts';

const USAGE = `Usage: npm run lab -- [-n NAME] COMMAND
  up NODE...             make a lab of pub:NAME, home:NAME and cgn:NAME, with options behind commas, as in
                         up pub:a1 home:h1,nat=edm/port,delay=20,loss=1
  show                   its nodes and their addresses
  exec NODE COMMAND...   run a command in a node
  link NODE WORDS        of a node with a wire: stats, or a new value, as in delay=80
  nat NODE WORDS         of a router: stats, dump, flush, or a new value, as in filter=open
  down                   end it
lab/README.md lists the options. It needs root, gcc, ip and, for routers, nft.`;

type Command = (name: string, args: readonly string[]) => Promise<unknown>;

const COMMANDS: Record<string, Command> = {
  up: async (name, specs) => show(await Lab.up(name, specs)),
  show: async (name) => show(Lab.open(name)),
  exec: async (name, [node = '', ...command]) => {
    const [file = '', ...args] = [...Lab.open(name).within(node), ...command];
    const child = spawn(file, args, { stdio: 'inherit' });
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
    process.exitCode = await new Promise<number>((resolve) => child.on('exit', (code) => resolve(code ?? 1)));
  },
  link: async (name, [node = '', words = 'stats']) => process.stdout.write(await Lab.open(name).link(node, words)),
  nat: async (name, [node = '', words = 'stats']) => process.stdout.write(await Lab.open(name).nat(node, words)),
  down: (name) => Lab.open(name).down(),
};

// What stands behind the node of `exec` is another program's.
const { name, help, rest } = options(process.argv.slice(2));
const [command = '', ...args] = rest;
const chosen = Object.hasOwn(COMMANDS, command) ? COMMANDS[command] : undefined;
if (help || chosen === undefined) {
  console[help ? 'log' : 'error'](USAGE);
  process.exit(help ? 0 : 2);
}
try {
  await chosen(name, args);
} catch (error) {
  if (!(error instanceof LabError)) throw error;
  console.error(`lab: ${error.message}`);
  process.exitCode = 1;
}

function options(argv: readonly string[]): { name: string; help: boolean; rest: readonly string[] } {
  const end = argv.findIndex((word, n) => !word.startsWith('-') && argv[n - 1] !== '-n');
  const [own, rest] = end < 0 ? [argv, []] : [argv.slice(0, end), argv.slice(end)];
  const { values } = parseArgs({
    args: [...own],
    options: {
      name: { type: 'string', short: 'n', default: 'lab' },
      help: { type: 'boolean', short: 'h', default: false },
    },
    strict: false,
  });
  return { name: String(values.name), help: Boolean(values.help), rest };
}

function show({ nodes }: Lab): void {
  console.table(
    nodes.map(({ name, kind, address, behind, nat, link }) => ({
      name,
      kind,
      address,
      behind,
      nat: nat === undefined ? '' : `${nat.kind}, ${nat.lan}`,
      link: Object.entries(link ?? {})
        .map(([option, value]) => `${option}=${value}`)
        .join(' '),
    })),
  );
}
