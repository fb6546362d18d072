import test from 'ava';
import { VirtualClock } from '../../kernel/clock/index.ts';
import { Trace } from '../../kernel/wire/trace.ts';
import { recordingLog } from '../rig/recording-log.ts';
import { settle } from './rig.ts';

const QUEUE_MAX = 4_096;
const FRAME = {
  direction: 'in',
  peer: 'a',
  connection: 1,
  name: 'Note',
  stream: 'uni',
  bytes: 7,
  outcome: 'ok',
} as const;

function rig() {
  const clock = new VirtualClock();
  const log = recordingLog();
  const trace = new Trace(clock, log);
  return { clock, log, trace, record: (code: number) => trace.record({ ...FRAME, code }) };
}

test('a trace is active as long as somebody listens', (t) => {
  const { trace } = rig();
  t.false(trace.active);
  const stops = [trace.subscribe(() => {}), trace.subscribe(() => {})];
  t.true(trace.active);
  stops[0]?.();
  t.true(trace.active);
  stops[1]?.();
  t.false(trace.active);
});

test('records of one turn come in one batch, with the time and the code as people write it', async (t) => {
  const { clock, trace, record } = rig();
  const batches: unknown[] = [];
  trace.subscribe((records, dropped) => void batches.push([records.map(({ code, at_ms }) => [code, at_ms]), dropped]));
  record(0x05);
  record(0xe0);
  t.deepEqual(batches, []);
  await settle();
  t.deepEqual(batches, [
    [
      [
        ['0x05', clock.now()],
        ['0xE0', clock.now()],
      ],
      0,
    ],
  ]);
});

test('the next batch waits for the one before; what does not fit meanwhile is counted once', async (t) => {
  const { trace, record } = rig();
  const batches: [number, number][] = [];
  const gates: (() => void)[] = [];
  trace.subscribe((records, dropped) => {
    batches.push([records.length, dropped]);
    return new Promise((resolve) => gates.push(resolve));
  });
  record(1);
  await settle();
  for (let n = 0; n < QUEUE_MAX + 3; n++) record(1);
  await settle();
  t.deepEqual(batches, [[1, 0]]);
  gates.shift()?.();
  await settle();
  t.deepEqual(batches, [
    [1, 0],
    [QUEUE_MAX, 3],
  ]);
  record(1);
  gates.shift()?.();
  await settle();
  t.deepEqual(batches.at(-1), [1, 0]);
});

test('who unsubscribes gets nothing more, not even what was on its way', async (t) => {
  const { trace, record } = rig();
  let batches = 0;
  const stop = trace.subscribe(() => void batches++);
  record(1);
  stop();
  record(1);
  await settle();
  t.is(batches, 0);
});

test('a listener that fails is logged and goes on', async (t) => {
  const { trace, record, log } = rig();
  let batches = 0;
  trace.subscribe(async () => {
    batches++;
    throw new Error('bad listener');
  });
  record(1);
  await settle();
  record(1);
  await settle();
  t.is(batches, 2);
  t.deepEqual(log.events(), ['trace-listener-failed', 'trace-listener-failed']);
});
