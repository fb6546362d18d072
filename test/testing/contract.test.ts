import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { pluginContract } from '../../kernel/testing/index.ts';
import { temporaryDirectory } from '../rig/temporary.ts';

/** Titles of the checks a plugin fails, with what they say. */
async function failures(t: ExecutionContext, setup: string, fields = ''): Promise<Record<string, string>> {
  const path = join(temporaryDirectory(t), 'subject.ts');
  writeFileSync(
    path,
    `import { defineRequest, definePlugin, Type } from 'itsgoin';
     import { SOCIAL } from 'itsgoin/plugins/social';
     const ask = defineRequest({
       name: 'test/subject@1',
       about: 'Asks',
       body: Type.Object({ who: Type.String({ pattern: '^[0-9a-f]{64}$' }), n: Type.Integer({ minimum: 3 }) }),
       response: { body: Type.Object({ n: Type.Integer() }), maxBytes: 1024 },
       maxBytes: 1024,
       budget: { perSecond: 5, burst: 10, inFlight: 4 },
     });
     export default definePlugin({
       name: 'subject', version: '1.0.0', kernel: '^1', about: 'Is checked',
       inject: { social: { optional: SOCIAL } },
       config: Type.Object({ size: Type.Integer({ default: 3 }) }),
       messages: { ask },
       ${fields}
       setup(ctx) { ${setup} },
     });`,
  );
  const failed: Record<string, string> = {};
  for (const { title, check } of pluginContract(path)) {
    await check().catch((error: Error) => {
      failed[title] = error.message;
    });
  }
  return failed;
}

const GOOD = 'return { handlers: { ask: ({ n }) => ({ n }) } };';

test('a plugin that does its part passes, its requests made up from their schema', async (t) => {
  t.deepEqual(await failures(t, GOOD), {});
});

test('timers that a plugin leaves behind end with it', async (t) => {
  t.deepEqual(await failures(t, `ctx.clock.timer(1e9, () => {}); ${GOOD}`), {});
});

test('a plugin that fails without an optional peer is found out', async (t) => {
  const failed = await failures(
    t,
    `ctx.on({ kind: 'topic', name: 'plugin/changed' }, async () => ctx.deps.social.use(() => {})); ${GOOD}`,
  );
  t.true('goes on while plugins it can do without come and go' in failed, JSON.stringify(failed));
});

test('a handler that throws what is no error of its own is found out', async (t) => {
  const failed = await failures(t, 'return { handlers: { ask: ({ n }) => ({ n: n.no.such.thing }) } };');
  const bytes = failed['survives truncated, oversized and random bytes, and blames who sent them'] ?? '';
  t.regex(bytes, /plugin-failure|handler-failed/);
});

test('a plugin that does not start is refused with its reason', async (t) => {
  const failed = await failures(t, "throw new Error('no disk today');");
  t.regex(failed['starts with no more than the plugins it needs'] ?? '', /no disk today/);
});

test('a message whose body cannot be made up asks for a sample', async (t) => {
  const failed = await failures(
    t,
    'return { handlers: { ask: ({ n }) => ({ n }), odd: () => ({ n: 1 }) } };',
    "messages: { ask, odd: { ...ask, name: 'test/odd@1', body: Type.Object({ x: Type.String({ pattern: '^zq{7}$' }) }) } },",
  );
  t.regex(failed['a swap under load loses no message'] ?? '', /test\/odd@1: give one in "samples"/);
});
