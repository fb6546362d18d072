// Makes the tree ready to run, on any Node from 20 and any npm from 10: installs the packages when
// package-lock.json is newer than what is installed, compiles when a source is newer than its output.
// Does nothing, quickly, when all is up to date. Runs as `prestart`, `pretest` and `predemo`.
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const at = (...path) => join(root, ...path);
const SOURCES = ['kernel', 'plugins', 'tui', 'cli', 'test', 'bench', 'lab', 'sim', 'scripts'];
/** npm writes this file at the end of every complete installation. */
const INSTALLED = at('node_modules', '.package-lock.json');
/** The package-lock.json that was installed; a checkout changes the file's time without changing it. */
const LOCK_INSTALLED = at('node_modules', '.installed-lock.json');
/** Not the compiler's own record: that changes when types are checked without writing anything. */
const BUILT = at('dist', '.built');

if (!isInstalled()) install();
if (modified(BUILT) < Math.max(modified(at('tsconfig.json')), modified(INSTALLED), ...SOURCES.map(newest))) build();

function isInstalled() {
  if (!existsSync(INSTALLED) || !existsSync(at('node_modules', 'node', 'bin'))) return false;
  if (existsSync(LOCK_INSTALLED)) return read(LOCK_INSTALLED) === read(at('package-lock.json'));
  // Somebody ran npm by hand.
  return modified(INSTALLED) >= modified(at('package-lock.json'));
}

/**
 * Of all packages only `node` needs its install script, which fetches its binary as a package; blake3's
 * would download an unverified one from elsewhere, and older npm cannot refuse that one alone.
 */
function install() {
  console.error('itsgoin: installing packages (a minute or two the first time) …');
  npm('ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error');
  npm('rebuild', 'node', '--loglevel=error');
  copyFileSync(at('package-lock.json'), LOCK_INSTALLED);
  touch(INSTALLED);
}

function build() {
  console.error('itsgoin: compiling …');
  run(process.execPath, [at('node_modules', 'typescript', 'bin', 'tsc'), '-p', at('tsconfig.json')]);
  bundle('kernel/sdk/typebox.js');
  for (const folder of SOURCES) removeOrphans(folder);
  writeFileSync(BUILT, '');
}

/** Puts all that a compiled file imports from packages into the file itself: one to load instead of hundreds. */
function bundle(file) {
  const { buildSync } = createRequire(import.meta.url)('esbuild');
  const options = { bundle: true, format: 'esm', platform: 'node', allowOverwrite: true, logLevel: 'warning' };
  buildSync({ ...options, entryPoints: [at('dist', file)], outfile: at('dist', file) });
}

/** Output whose source is gone would still be loaded, or run as a test. */
function removeOrphans(folder) {
  if (!existsSync(at('dist', folder))) return;
  for (const entry of readdirSync(at('dist', folder), { recursive: true })) {
    const source = at(folder, String(entry).replace(/\.(d\.ts|js|js\.map)$/, ''));
    const compiled = /\.(d\.ts|js|js\.map)$/.test(String(entry));
    if (compiled && !existsSync(`${source}.ts`) && !existsSync(`${source}.tsx`))
      rmSync(at('dist', folder, String(entry)));
  }
}

/** The npm that runs this script; without one somebody called it by hand. */
function npm(...args) {
  const own = process.env.npm_execpath;
  if (own && /\.[cm]?js$/.test(own)) run(lastingNode(), [own, ...args]);
  else run('npm', args, { shell: process.platform === 'win32' });
}

/** A Node that `npm ci` does not delete: within npm scripts the one that runs us is in node_modules itself. */
function lastingNode() {
  const name = process.platform === 'win32' ? 'node.exe' : 'node';
  const inside = (path) => path.startsWith(at('node_modules'));
  const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '' && !inside(folder));
  const found = folders
    .map((folder) => join(folder, name))
    .find((path) => existsSync(path) && !inside(realpathSync(path)));
  return found ?? process.execPath;
}

/** Runs to the end with its output shown; the script ends with its exit code when it fails. */
function run(command, args, options = {}) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: ['ignore', 2, 2], ...options });
  if (error) console.error(`itsgoin: cannot run ${command}: ${error.message}`);
  if (status !== 0) process.exit(status ?? 1);
}

function touch(file) {
  const now = new Date();
  if (existsSync(file)) utimesSync(file, now, now);
}

function read(file) {
  return readFileSync(file, 'utf8');
}

function modified(file) {
  return existsSync(file) ? statSync(file).mtimeMs : 0;
}

/** The latest change under a folder, deletions included: they change their folder's time. */
function newest(folder) {
  if (!existsSync(at(folder))) return 0;
  const entries = readdirSync(at(folder), { recursive: true, withFileTypes: true });
  const times = entries.map((entry) => modified(join(entry.parentPath ?? entry.path, entry.name)));
  return Math.max(modified(at(folder)), ...times);
}
