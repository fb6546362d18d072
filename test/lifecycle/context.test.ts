import test from 'ava';
import { connectionPair, rawFrame, testPeer } from '../wire/pair.ts';
import { settle } from '../wire/rig.ts';
import { PROBATION_FAILURES } from '../../kernel/lifecycle/probation.ts';
import { counterPlugin, hostRig } from './rig.ts';

/** What a plugin's context does for it, and what it does not. */

test('before its commit a plugin sends nothing, and afterwards it does', async (t) => {
  const rig = hostRig(t);
  const setup = "ctx.send('a'.repeat(64), {}, {}).catch((error) => { globalThis.sendFailed = error.code; });";
  const late = counterPlugin({ setup }).replace('() => add() }', "() => ctx.send('a'.repeat(64), {}, {}) }");
  await rig.host.add(rig.write('counter.ts', late));
  await settle();
  t.is((globalThis as { sendFailed?: string }).sendFailed, 'lifecycle/not-live');
  await t.throwsAsync(rig.run('counter.add'), { message: 'no network in this rig' });
});

test('what activate throws is a failure of the plugin, which stays', async (t) => {
  for (const activate of ["activate() { throw new Error('no'); },", "async activate() { throw new Error('no'); },"]) {
    const rig = hostRig(t);
    await rig.host.add(rig.write('counter.ts', counterPlugin({ parts: activate })));
    t.deepEqual(
      rig.log.events().filter((event) => event === 'plugin-failure'),
      [],
    );
    rig.host.begin();
    await settle();
    t.true(rig.log.events().includes('plugin-failure'));
    t.is(rig.host.inspect('counter').counters.failures, 1);
    t.is(rig.host.list()[0]?.state, 'active');
  }
});

test('what a listener throws is a failure of the plugin', async (t) => {
  const rig = hostRig(t);
  const setup = "ctx.on({ kind: 'topic', name: 'test/happened' }, () => { throw new Error('no'); });";
  await rig.host.add(rig.write('counter.ts', counterPlugin({ setup })));
  rig.bus.publish({ kind: 'topic', name: 'test/happened' }, 1);
  t.is(rig.host.inspect('counter').counters.failures, 1);
});

test('work in the background that fails is counted by its name, and not at all when the plugin has ended', async (t) => {
  const rig = hostRig(t);
  const setup = "ctx.background('chores', new Promise((_, reject) => { globalThis.failChores = reject; }));";
  await rig.host.add(rig.write('counter.ts', counterPlugin({ setup })));
  const fail = (): void => (globalThis as { failChores?: (error: Error) => void }).failChores?.(new Error('no'));
  fail();
  await settle();
  t.is(rig.host.inspect('counter').counters['background-failed.chores'], 1);
  t.true(rig.log.events().includes('background-failed'));
  await rig.host.reload('counter');
  await rig.host.disable('counter');
  fail();
  await settle();
  t.is(rig.host.inspect('counter').counters['background-failed.chores'], 1);
});

test('who subscribes to a stream after the end of the plugin is told that it is over', async (t) => {
  const rig = hostRig(t);
  const setup = "globalThis.lateStream = ctx.stream({ kind: 'topic', name: 'test/happened' });";
  await rig.host.add(rig.write('counter.ts', counterPlugin({ setup })));
  await rig.host.disable('counter');
  let isOver = false;
  const { lateStream } = globalThis as { lateStream?: { subscribe(observer: { complete(): void }): unknown } };
  lateStream?.subscribe({
    complete: () => {
      isOver = true;
    },
  });
  t.true(isOver);
  t.deepEqual(rig.bus.subscriptions('counter'), []);
});

const NOTED = `
  messages: { noted: defineNotice({
    name: 'acme/noted@1', about: 'A note', body: Type.Object({ n: Type.Integer() }), maxBytes: 100, deadlineMs: 1_000,
    budget: { perSecond: 1_000, burst: 1_000, inFlight: 10 },
  }) },`;

test('setup that leaves out a handler or a service is refused, and all that is missing is named', async (t) => {
  const rig = hostRig(t);
  const code = counterPlugin({ fields: NOTED }).replace('import { ', 'import { defineNotice, ');
  const bare = code
    .replace('services: [{ token: COUNTER, service: { add } }],', '')
    .replace("commands: { 'counter.add': () => add() },", "commands: { 'counter.add': 'add' },");
  const { outcome, reason } = await rig.host.add(rig.write('counter.ts', bare));
  t.is(outcome, 'refused');
  t.regex(reason ?? '', /a handler for message "noted", a handler for command "counter\.add", the service "counter"/);
});

for (const [how, body] of Object.entries({
  throws: "if (n > 0) throw new Error('bad')",
  'rejects later': "if (n > 0) return Promise.reject(new Error('bad'))",
})) {
  test(`a message handler that ${how} counts against new code, and enough of it sends the code back`, async (t) => {
    const rig = hostRig(t);
    const path = rig.write('counter.ts', counterPlugin());
    await rig.host.add(path);
    const failing = counterPlugin({
      step: 10,
      fields: NOTED,
      parts: `handlers: { noted: ({ n }) => { ${body}; count += 100; } },`,
    }).replace('import { ', 'import { defineNotice, ');
    await rig.host.replace('counter', rig.write('failing/plugin.ts', failing));
    const [near, far] = connectionPair(testPeer('a'), testPeer('5'));
    rig.dispatcher.attach(far);
    const send = async (n: number): Promise<void> => {
      near.openUni().write(rawFrame(0xf0, `{"name":"acme/noted@1","body":{"n":${n}}}`), true);
      await settle();
    };
    await send(0);
    t.deepEqual(await rig.run('counter.add'), { count: 110 });
    for (let failures = 1; failures <= PROBATION_FAILURES; failures++) {
      await send(1);
      t.is(rig.host.inspect('counter').counters.failures, failures);
    }
    await rig.clock.advance(1_000);
    await settle();
    t.deepEqual(await rig.run('counter.add'), { count: 111 });
  });
}

test('a command that throws, such as that of a pane, did not count against its plugin', async (t) => {
  const rig = hostRig(t);
  await rig.host.add(rig.write('counter.ts', counterPlugin()));
  const failing = counterPlugin({
    step: 10,
    setup: "const rows = () => { if (count > 0) throw new TypeError('no rows'); };",
  }).replace("'counter.add': () => add()", "'counter.add': async () => { rows(); return add(); }");
  t.is((await rig.host.replace('counter', rig.write('failing/plugin.ts', failing))).outcome, 'committed');
  t.deepEqual(await rig.run('counter.add'), { count: 10 });
  for (let failures = 1; failures <= PROBATION_FAILURES; failures++) {
    await t.throwsAsync(rig.run('counter.add'), { message: 'no rows' });
    t.is(rig.host.inspect('counter').counters.failures, failures);
  }
  await t.throwsAsync(rig.run('counter.add', { nonsense: 1 }), { code: 'command/bad-params' });
  await rig.clock.advance(1_000);
  await settle();
  t.deepEqual(await rig.run('counter.add'), { count: 11 });
  t.regex(rig.host.list()[0]?.reason ?? '', /^rolled back: 3 failures/);
});

test('a refusal with a code of its own is an answer of the handler and no failure', async (t) => {
  const rig = hostRig(t);
  const code = counterPlugin({
    fields: NOTED,
    parts: "handlers: { noted: () => { throw defineErrors('counter', { no: { message: 'no' } }).make('no'); } },",
  }).replace('import { ', 'import { defineErrors, defineNotice, ');
  await rig.host.add(rig.write('counter.ts', code));
  const [near, far] = connectionPair(testPeer('a'), testPeer('5'));
  rig.dispatcher.attach(far);
  near.openUni().write(rawFrame(0xf0, '{"name":"acme/noted@1","body":{"n":1}}'), true);
  await settle();
  t.is(rig.host.inspect('counter').counters.failures, undefined);
});

test('a message that comes while its plugin is being switched off is not handled', async (t) => {
  const rig = hostRig(t);
  const code = counterPlugin({ fields: NOTED, parts: 'handlers: { noted: () => { globalThis.notedLate = true; } },' })
    .replace('import { ', 'import { defineNotice, ')
    .replace("'counter.add': () => add()", "'counter.add': async () => { await ctx.clock.sleep(100); return add(); }");
  await rig.host.add(rig.write('counter.ts', code));
  const [near, far] = connectionPair(testPeer('a'), testPeer('5'));
  rig.dispatcher.attach(far);
  const running = rig.run('counter.add');
  const off = rig.host.disable('counter');
  await settle();
  near.openUni().write(rawFrame(0xf0, '{"name":"acme/noted@1","body":{"n":1}}'), true);
  await settle();
  t.is(rig.host.inspect('counter').held, 1);
  await rig.clock.advance(100);
  t.like(await off, { outcome: 'disabled' });
  t.deepEqual(await running, { count: 1 });
  t.false('notedLate' in globalThis);
});

test('a plugin that is on stays as it is when it is switched on again; settings of one that is off are kept for it', async (t) => {
  const rig = hostRig(t);
  await rig.host.add(rig.write('counter.ts', counterPlugin()));
  t.like(await rig.host.enable('counter'), { outcome: 'committed', generation: 1 });
  await rig.host.disable('counter');
  t.like(await rig.host.configure('counter', { start: 40 }), { outcome: 'disabled' });
  await t.throwsAsync(rig.host.configure('counter', { start: 'many' }));
  await rig.host.enable('counter');
  t.deepEqual(await rig.run('counter.add'), { count: 41 });
});

test('a plugin file that is mended starts', async (t) => {
  const rig = hostRig(t);
  const path = rig.write('counter.ts', 'not code (');
  await rig.host.refresh(path);
  t.is(rig.host.list()[0]?.state, 'failed');
  rig.write('counter.ts', counterPlugin());
  await rig.host.refresh(path);
  t.deepEqual(
    rig.host.list().map(({ name, state }) => [name, state]),
    [['counter', 'active']],
  );
});

test('a third party finds the api of a built-in plugin under its name', async (t) => {
  const rig = hostRig(t);
  const code = counterPlugin({ setup: 'globalThis.foundTopic = postStored.name;' }).replace(
    'import { ',
    "import { postStored } from 'itsgoin/plugins/content';\nimport { ",
  );
  t.is((await rig.host.add(rig.write('counter.ts', code))).outcome, 'committed');
  t.is((globalThis as { foundTopic?: string }).foundTopic, 'content/post-stored');
});
