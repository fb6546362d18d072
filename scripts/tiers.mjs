// Runs test tiers one after the other, sums what they counted, and ends with "N passed, N failed".
//   npm test               types, lint, generated docs and the everyday tests: under five minutes on two cores
//   npm test -- all        every tier, as .ci/run does
//   npm test -- <name>...  just these
import { spawn } from 'node:child_process';
import { existsSync, globSync, readFileSync } from 'node:fs';

const AVA = ['node_modules/ava/entrypoints/cli.mjs'];

/** Tiers that take long or need the machine for themselves live in folders of their own. */
const LONG = JSON.parse(readFileSync('scripts/long-tiers.json', 'utf8'));
const everyday = globSync('dist/test/**/*.test.js').filter(
  (file) => !LONG.some((tier) => file.startsWith(`dist/test/${tier}/`)),
);

/** `command` tiers count as one check each; `ava` tiers count their tests. */
const TIERS = [
  { name: 'types', fast: true, command: ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.json', '--noEmit'] },
  { name: 'lint', fast: true, command: ['node_modules/@biomejs/biome/bin/biome', 'check', '--max-diagnostics=50'] },
  { name: 'docs', fast: true, command: ['dist/scripts/generate-docs.js', '--check'] },
  // What must survive a crash has a tier of its own; here a slow disk would only hold up virtual time.
  { name: 'tests', fast: true, ava: everyday, temporary: existsSync('/dev/shm') ? '/dev/shm' : undefined },
  ...LONG.filter((name) => existsSync(`dist/test/${name}`)).map((name) => ({
    name,
    fast: false,
    // One file at a time: these measure memory and time, and must not disturb each other.
    ava: ['--serial', '--concurrency=1', '--timeout=20m', ...globSync(`dist/test/${name}/**/*.test.js`)],
  })),
];

const wanted = process.argv.length > 2 ? process.argv.slice(2) : ['fast'];
const chosen = TIERS.filter(
  (tier) => wanted.includes('all') || wanted.includes(tier.name) || (wanted.includes('fast') && tier.fast),
);
const unknown = wanted.filter((name) => !['all', 'fast'].includes(name) && !TIERS.some((tier) => tier.name === name));
if (chosen.length === 0 || unknown.length > 0) {
  console.error(
    `Unknown tier: ${unknown.join(', ')}. There are: fast, all, ${TIERS.map((tier) => tier.name).join(', ')}`,
  );
  process.exit(2);
}

let passed = 0;
let failed = 0;
for (const tier of chosen) {
  const startedMs = performance.now();
  const result = await run(tier);
  passed += result.passed;
  failed += result.failed;
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  console.log(`== ${tier.name}: ${result.passed} passed, ${result.failed} failed (${seconds} s)\n`);
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);

async function run({ name, command, ava, temporary }) {
  console.log(`== ${name}`);
  const { code, output } = await start(
    command ?? [...AVA, ...ava],
    temporary === undefined ? {} : { TMPDIR: temporary },
  );
  if (command) return code === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
  const count = (pattern) => [...output.matchAll(pattern)].length;
  const sum = (pattern) => [...output.matchAll(pattern)].reduce((total, match) => total + Number(match[1]), 0);
  const ok = count(/^\s*✔ /gm);
  const bad =
    count(/^\s*✘ \[fail\]/gm) +
    count(/^\s*- \[(?:skip|todo)\]/gm) +
    sum(/^\s*(\d+) (?:uncaught exceptions?|unhandled rejections?)/gm);
  // A crashed or empty run prints no summary, and must not count as nothing.
  return { passed: ok, failed: code !== 0 || ok === 0 ? Math.max(1, bad) : bad };
}

function start(args, env) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env, FORCE_COLOR: '0' },
    });
    let output = '';
    for (const [stream, sink] of [
      [child.stdout, process.stdout],
      [child.stderr, process.stderr],
    ]) {
      stream.on('data', (chunk) => {
        output += chunk;
        sink.write(chunk);
      });
    }
    child.on('close', (code) => resolve({ code: code ?? 1, output }));
  });
}
