import { EventEmitter } from 'node:events';
import test from 'ava';
import { lockBuiltIns } from '../../cli/own-process/built-ins.ts';

lockBuiltIns();

test('a plugin that replaced what all share froze the node', (t) => {
  const replace: Record<string, () => void> = {
    json: () => Object.assign(globalThis, { JSON: undefined }),
    stringify: () => Object.assign(JSON, { stringify: undefined }),
    promise: () => Object.assign(globalThis, { Promise: undefined }),
    setTimeout: () => Object.assign(globalThis, { setTimeout: undefined }),
    nextTick: () => Object.assign(process, { nextTick: undefined }),
    push: () => Object.assign(Array.prototype, { push: undefined }),
    has: () => Object.assign(Map.prototype, { has: undefined }),
    toString: () => Object.assign(Object.prototype, { toString: undefined }),
    emit: () => Object.assign(EventEmitter.prototype, { emit: undefined }),
    // biome-ignore lint/suspicious/noThenProperty: it makes every object a promise that never ends.
    every: () => Object.assign(Object.prototype, { then: () => {} }),
  };
  for (const [what, code] of Object.entries(replace)) t.throws(code, { instanceOf: TypeError }, what);
});

test('what is locked can still be given by objects of their own', (t) => {
  class Named {
    declare toString: () => string;
  }
  const named = new Named();
  named.toString = () => 'named';
  t.is(String(named), 'named');
  const error = new Error('one');
  error.message = 'two';
  error.name = 'Mine';
  t.is(String(error), 'Mine: two');
  const emitter = new EventEmitter();
  let emitted = 0;
  emitter.emit = () => {
    emitted++;
    return true;
  };
  emitter.emit('x');
  t.is(emitted, 1);
  t.is(new EventEmitter().emit('x'), false);
  t.is(Object.assign(Object.create(Function.prototype), { call: 1, bind: 2 }).call, 1);
});
