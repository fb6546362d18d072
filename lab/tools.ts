import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, globSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LabError } from './nodes.ts';

const SOURCES = fileURLToPath(new URL('../../lab', import.meta.url));
const BUILT = fileURLToPath(new URL('bin', import.meta.url));
const FLAGS = ['-O2', '-fno-strict-aliasing', '-Wall', '-Wextra'];
const COMPILE_MAX_MS = 60_000;
const COMMAND_MAX_MS = 20_000;

/** Why there can be no lab here, or undefined. */
export function missing(tools: readonly string[] = ['gcc', 'ip']): string | undefined {
  if (process.platform !== 'linux') return 'the lab is made of network namespaces, which only Linux has';
  if (process.getuid?.() !== 0) return 'the lab makes network namespaces, for which it must be run as root';
  const absent = tools.filter((tool) => spawnSync(tool, ['--version']).error !== undefined);
  if (absent.length > 0)
    return `the lab needs ${absent.join(', ')} (on Debian: apt-get install gcc libc6-dev iproute2 nftables)`;
  return existsSync('/dev/net/tun') ? undefined : 'the lab needs /dev/net/tun, which this system does not have';
}

/** The path of `natwire` or `natd`, compiled when its source is newer. */
export function compiled(name: 'natwire' | 'natd'): string {
  const [main, all] =
    name === 'natd' ? ['natd/natd.c', globSync(join(SOURCES, 'natd/*'))] : ['natwire.c', [join(SOURCES, 'natwire.c')]];
  const program = join(BUILT, name);
  const newest = Math.max(...all.map((file) => statSync(file).mtimeMs));
  if (existsSync(program) && statSync(program).mtimeMs >= newest) return program;
  mkdirSync(BUILT, { recursive: true });
  // Two labs may start at once.
  const fresh = `${program}.${process.pid}`;
  execFileSync('gcc', [...FLAGS, '-o', fresh, join(SOURCES, main as string)], {
    stdio: ['ignore', 'inherit', 'inherit'],
    timeout: COMPILE_MAX_MS,
  });
  renameSync(fresh, program);
  return program;
}

/** Runs a command to its end. @throws LabError with what it complained of */
export function run(command: readonly string[], input = ''): string {
  const [file = '', ...args] = command;
  const { status, stdout, stderr, error } = spawnSync(file, args, { input, encoding: 'utf8', timeout: COMMAND_MAX_MS });
  if (status !== 0) throw new LabError(`${command.join(' ')}: ${error?.message ?? (stderr || stdout).trim()}`);
  return stdout;
}

/** `ip` commands in one call, in a namespace where one is named. */
export function ipBatch(lines: readonly string[], namespace?: string): void {
  const within = namespace === undefined ? [] : ['-n', namespace];
  if (lines.length > 0) run(['ip', ...within, '-batch', '-'], `${lines.join('\n')}\n`);
}
