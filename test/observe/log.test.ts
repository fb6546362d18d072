import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { VirtualClock } from '../../kernel/clock/index.ts';
import { openLogFile } from '../../kernel/observe/log-file.ts';
import { createLog, type LogEntry } from '../../kernel/observe/index.ts';
import { storeErrors } from '../../kernel/store/index.ts';

function capture(level: 'debug' | 'info' | 'warn' = 'info') {
  const lines: string[] = [];
  const clock = new VirtualClock({ startMs: 5 });
  const log = createLog({ level, clock, keep: 3, to: { stream: { write: (line) => void lines.push(line) } } });
  return { log, lines: () => lines.map((line) => JSON.parse(line)) };
}

test('a line is JSON with time, area, event and fields', (t) => {
  const { log, lines } = capture();
  log.area('content').info('post-stored', { id: 'ab', bytes: 12 });
  t.deepEqual(lines(), [{ level: 30, time: 5, area: 'content', id: 'ab', bytes: 12, event: 'post-stored' }]);
});

test('the level changes while areas are in use', (t) => {
  const { log, lines } = capture('warn');
  const area = log.area('a');
  area.info('quiet');
  log.setLevel('debug');
  area.debug('loud');
  log.setLevel('error');
  area.warn('quiet');
  t.deepEqual(
    lines().map(({ event }) => event),
    ['loud'],
  );
  t.is(log.level, 'error');
});

test('an error is logged with its code and its cause, a byte array by its length', (t) => {
  const { log, lines } = capture();
  const error = storeErrors.make('disk-full', { path: '/x' }, new Error('SQLITE_FULL'));
  log.area('a').error('failed', { error, key: new Uint8Array(32) });
  const [line] = lines();
  t.is(line.error.code, 'store/disk-full');
  t.is(line.error.cause, 'unknown: SQLITE_FULL');
  t.is(line.key, '32 bytes');
});

test('keeps the last entries and tells subscribers, throwing ones included', (t) => {
  const { log } = capture();
  const seen: LogEntry[] = [];
  log.subscribe(() => {
    throw new Error('a screen that broke');
  });
  const stop = log.subscribe((entry) => void seen.push(entry));
  for (let i = 0; i < 5; i++) log.area('a').info(`event-${i}`);
  stop();
  log.area('a').info('event-5');
  t.deepEqual(
    log.recent().map(({ event }) => event),
    ['event-3', 'event-4', 'event-5'],
  );
  t.is(seen.length, 5);
});

test('fields that cannot become JSON do not throw', (t) => {
  const { log, lines } = capture();
  const circle: Record<string, unknown> = { big: 1n };
  circle.self = circle;
  t.notThrows(() => log.area('a').info('odd', { circle, none: undefined, call: () => {} }));
  t.is(lines()[0].event, 'odd');
});

test('a log file is private and kept to two files of the stated size', (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'itsgoin-log-'));
  t.teardown(() => rmSync(dir, { recursive: true }));
  const path = join(dir, 'node.log');
  const file = openLogFile(path, 1_000);
  for (let i = 0; i < 100; i++) file.write(`${String(i).padStart(98, '0')}\n`);
  file.close();
  t.is(statSync(path).mode & 0o777, 0o600);
  t.true(statSync(path).size <= 1_200);
  t.true(statSync(`${path}.1`).size <= 1_200);
  t.regex(readFileSync(path, 'utf8'), /99\n$/);
});
