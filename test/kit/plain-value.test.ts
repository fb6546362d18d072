import test from 'ava';
import { plainValue } from '../../kernel/sdk/kit/plain-value.ts';

const trap = (): never => {
  throw new Error('trapped');
};

test('what a plugin says of itself broke status: circles, getters, proxies, big numbers', (t) => {
  const circle: Record<string, unknown> = { rows: [1, 'two', null], big: 12n, at: new Date(0) };
  circle.again = circle;
  Object.defineProperty(circle, 'bad', { enumerable: true, get: trap });
  circle.proxy = new Proxy({}, { get: trap, ownKeys: trap, getPrototypeOf: trap });
  circle.mine = { toJSON: trap };
  const plain = plainValue(circle) as Record<string, unknown>;
  t.like(plain, { rows: [1, 'two', null], big: '12', at: '1970-01-01T00:00:00.000Z', proxy: 'a proxy' });
  t.regex(String(plain.bad), /cannot be read: trapped/);
  t.regex(String(plain.mine), /cannot be read: trapped/);
  t.notThrows(() => JSON.stringify(plain));
});

test('a line of 400 MB held the event loop', (t) => {
  const rows = Array.from({ length: 1_000 }, () => Array.from({ length: 1_000 }, () => 'x'));
  const plain = JSON.stringify(plainValue({ text: 'x'.repeat(40_000_000), rows }));
  t.true(plain.length < 100_000, `${plain.length}`);
});
