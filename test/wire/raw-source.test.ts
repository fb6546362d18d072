import test from 'ava';
import { discard } from '../../kernel/wire/inbound/raw-writer.ts';

test('a source of bytes that is not going to be read is ended, so that it can let go of its file', (t) => {
  let ended = 0;
  const iterator = {
    next: () => Promise.reject(new Error('must not be read')),
    return: () => {
      ended++;
      return Promise.resolve({ done: true as const, value: undefined });
    },
  };
  discard({ [Symbol.asyncIterator]: () => iterator });
  t.is(ended, 1);
  t.notThrows(() => discard([new Uint8Array(1)]), 'a list has nothing to end');
});
