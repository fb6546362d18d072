import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import type { PluginSummary } from '../../kernel/lifecycle/plugin-host.ts';
import { temporaryDirectory } from '../rig/temporary.ts';
import { BAD_PLUGINS, type BadPlugin } from './bad-plugins.ts';
import { pluginPath, watchedNode } from './node.ts';

const ANSWER_MAX_MS = 1_000;
const ANSWER_AFTER_LOOP_MAX_MS = 5_000;
/** A module that awaits something for ever is given up after 10 s, a setup after 30. */
const UP_LIMIT_MS = 60_000;
const FATE_LIMIT_MS = 45_000;
/** Found out later than all others, without harm to anybody meanwhile. */
const SLOW = ['hangs-top', 'hangs-setup'];

const stateOf = (plugins: readonly PluginSummary[], name: string) => plugins.find((plugin) => plugin.name === name);

function met({ name, fate }: BadPlugin, plugins: readonly PluginSummary[]): boolean {
  const { state, reason = '' } = stateOf(plugins, name) ?? {};
  if (fate === 'counted') return state === 'active';
  return state === 'failed' && (fate !== 'held' || reason.includes('held the event loop'));
}

/** What ships with the node and does not run. */
function harmed(plugins: readonly PluginSummary[]): string[] {
  return plugins.filter(({ source, state }) => source === 'builtin' && state !== 'active').map(({ name }) => name);
}

test.serial('one bad plugin after the other, added to a node that runs, ended it', async (t) => {
  const dir = temporaryDirectory(t);
  const node = await watchedNode(t, dir);
  for (const bad of BAD_PLUGINS.filter(({ name }) => !SLOW.includes(name))) {
    node.takeWorstMs();
    writeFileSync(pluginPath(dir, bad.name), bad.code);
    const plugins = await node.until((seen) => met(bad, seen), FATE_LIMIT_MS);
    const worstMs = node.takeWorstMs();
    const said = JSON.stringify(stateOf(plugins, bad.name));
    t.true(met(bad, plugins), `${bad.name}: ${said}`);
    t.deepEqual(harmed(plugins), [], bad.name);
    t.true(
      worstMs <= (['held', 'freed'].includes(bad.fate) ? ANSWER_AFTER_LOOP_MAX_MS : ANSWER_MAX_MS),
      `${bad.name}: ${worstMs} ms`,
    );
    t.false(node.ended, bad.name);
    rmSync(pluginPath(dir, bad.name));
  }
  t.is(await node.stop(), 0);
  const log = readFileSync(join(dir, 'node.log'), 'utf8');
  for (const { name } of BAD_PLUGINS.filter(({ name: each }) => !SLOW.includes(each))) t.true(log.includes(name), name);
});

test.serial('forty bad plugins at once kept the node from starting, now and at the next start', async (t) => {
  const dir = temporaryDirectory(t);
  mkdirSync(join(dir, 'plugins'));
  for (const { name, code } of BAD_PLUGINS) writeFileSync(pluginPath(dir, name), code);
  const everything = (seen: readonly PluginSummary[]): boolean => BAD_PLUGINS.every((bad) => met(bad, seen));
  const unmet = (seen: readonly PluginSummary[]): unknown[] =>
    BAD_PLUGINS.filter((bad) => !SLOW.includes(bad.name) && !met(bad, seen)).map(
      ({ name }) => stateOf(seen, name) ?? name,
    );
  const fast = (seen: readonly PluginSummary[]): boolean => unmet(seen).length === 0;

  const first = await watchedNode(t, dir);
  const upMs = performance.now();
  const up = await first.until(fast, UP_LIMIT_MS);
  t.log(`up again without the fatal ones after ${Math.round(performance.now() - upMs)} ms`);
  t.deepEqual(unmet(up), []);
  const plugins = await first.until(everything, FATE_LIMIT_MS);
  t.deepEqual(
    BAD_PLUGINS.filter((bad) => !met(bad, plugins)).map(({ name }) => name),
    [],
  );
  t.deepEqual(harmed(plugins), []);
  const worstMs = first.takeWorstMs();
  t.true(worstMs <= ANSWER_AFTER_LOOP_MAX_MS, `${worstMs} ms`);
  t.is(await first.stop(), 0);

  const second = await watchedNode(t, dir);
  const again = await second.until(fast, 20_000);
  t.deepEqual(unmet(again), []);
  t.deepEqual(harmed(again), []);
  t.true(second.takeWorstMs() <= ANSWER_MAX_MS, 'nothing holds it a second time');
  t.is(await second.stop(), 0);

  const safe = await watchedNode(t, dir, ['--safe']);
  const left = await safe.until((seen) => seen.length >= BAD_PLUGINS.length, 5_000);
  for (const { name } of BAD_PLUGINS) t.regex(stateOf(left, name)?.reason ?? '', /--safe/, name);
  t.is(await safe.stop(), 0);
});
