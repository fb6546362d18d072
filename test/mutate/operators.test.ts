import test from 'ava';
import { editsOf } from '../../scripts/mutate/mutants.ts';

/** What the mutants of a text look like. */
function mutated(source: string): string[] {
  return editsOf(source).map(({ start, end, text }) => source.slice(0, start) + text + source.slice(end));
}

test('a comparison is moved by one and turned round', (t) => {
  t.deepEqual(mutated('if (a < b) c = 1;'), ['if (a <= b) c = 1;', 'if (a >= b) c = 1;']);
});

test('a condition that is no comparison becomes a constant', (t) => {
  t.deepEqual(mutated('if (a) b = 1;'), ['if (true) b = 1;', 'if (false) b = 1;']);
});

test('a mixture of ?? and || stays a valid program', (t) => {
  t.deepEqual(mutated('x = a ?? b;'), ['x = ((a) && (b));']);
});

test('numbers are subtracted, texts and constants are not', (t) => {
  t.deepEqual(mutated('x = a + b;'), ['x = a - b;']);
  t.deepEqual(mutated('x = 4 * 1024 * SIZE_MAX;'), []);
  t.deepEqual(mutated('x = a * SIZE_MAX;'), ['x = a / SIZE_MAX;']);
  t.deepEqual(mutated("x = a + 's';"), []);
});

test('a text is emptied only where it is compared', (t) => {
  t.deepEqual(mutated("x = a === 's';"), ["x = a !== 's';", "x = a === '';"]);
  t.deepEqual(mutated("x = 's';"), []);
});

test('calls, results, optional chains and array methods have their mutants', (t) => {
  t.deepEqual(mutated('await f(x);'), [';']);
  t.deepEqual(mutated('const f = () => x;'), ['const f = () => undefined;']);
  t.deepEqual(mutated('x = a?.b;'), ['x = a.b;']);
  t.deepEqual(mutated('x = (await a).filter(b);'), ['x = (await a);']);
  t.deepEqual(mutated('x = a.some(b);'), ['x = a.every(b);']);
  t.deepEqual(mutated('x = true;'), ['x = false;']);
});

test('logs, counters, errors and their texts are left alone', (t) => {
  t.deepEqual(mutated("log.info('x', { ok: true });"), []);
  t.deepEqual(mutated("this.deps.counters.add(a ? 'x' : 'y');"), []);
  t.deepEqual(mutated("throw wireErrors.make('late', { n: a + 1 });"), []);
  t.deepEqual(mutated('x = { doc: a ? 1 : 2 };'), []);
});
