import { readFileSync } from 'node:fs';
import test from 'ava';
import { figureOf, type Round } from '../../bench/peers/rounds.ts';

const PACKAGES = 'bench/peers/packages';

const round = (connect: number, bulk: number): Round => ({
  connect,
  firstAnswer: connect,
  serial: 1,
  parallel: 1,
  parallelCpu: 1,
  bulk,
  bulkCpu: 1,
});
const rounds = {
  itsgoin: [round(2, 10), round(4, 40), round(2, 30)],
  hyperdht: [round(1, 10), round(8, 20), round(1, 10)],
  libp2p: [round(4, 5), round(4, 50), round(4, 5)],
};

test('a ratio is taken within each round, and above 1 means that we are faster', (t) => {
  const bulk = figureOf('bulk', rounds);
  t.is(bulk.fastestOther, 'hyperdht');
  t.deepEqual(bulk.ratio, { median: 2, min: 1, max: 3 });
  const connect = figureOf('connect', rounds);
  t.deepEqual(connect.ratioToHyperdht, { median: 0.5, min: 0.5, max: 2 });
  t.deepEqual(connect.of.itsgoin, { median: 2, min: 2, max: 4 });
});

test('the lock file of what we are measured beside agrees with its package.json and names no host', (t) => {
  const text = readFileSync(`${PACKAGES}/package-lock.json`, 'utf8');
  const { dependencies } = JSON.parse(readFileSync(`${PACKAGES}/package.json`, 'utf8')) as { dependencies: object };
  const lock = JSON.parse(text) as { packages: Record<string, { dependencies?: object; integrity?: string }> };
  t.deepEqual(lock.packages['']?.dependencies, dependencies);
  t.notRegex(text, /"resolved"/);
  const installed = Object.entries(lock.packages).filter(([path]) => path !== '');
  t.true(installed.length > 100);
  t.true(installed.every(([, { integrity }]) => integrity !== undefined));
});
