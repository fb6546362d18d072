import test from 'ava';
import { FRAME_MAX_BYTES, EXTENSION_NAMES_MAX } from '../../kernel/wire/limits.ts';
import type { AnyMessage } from '../../kernel/index.ts';
import { ask, note, ping, wireRig } from './rig.ts';

/** Which declarations of messages are taken; what is wrong is refused before any code of the plugin runs. */

const refused: Record<string, [object, RegExp]> = {
  'no bytes at all': [{ ...note, maxBytes: 0 }, /maxBytes/],
  'a byte above 16 MiB': [{ ...note, maxBytes: FRAME_MAX_BYTES + 1 }, /maxBytes/],
  'bytes that are no number': [{ ...note, maxBytes: Number.NaN }, /maxBytes/],
  'an answer without bytes': [{ ...ask, response: { ...ask.response, maxBytes: 0 } }, /maxBytes/],
  'an answer above 16 MiB': [{ ...ask, response: { ...ask.response, maxBytes: FRAME_MAX_BYTES + 1 } }, /maxBytes/],
  'no rate': [{ ...note, budget: { perSecond: 0, burst: 1, inFlight: 1 } }, /budget/],
  'no burst': [{ ...note, budget: { perSecond: 1, burst: 0, inFlight: 1 } }, /budget/],
  'nothing in flight': [{ ...note, budget: { perSecond: 1, burst: 1, inFlight: 0 } }, /budget/],
  'a code that there is not': [{ ...note, code: 0x96 }, /no such code/],
  'another name': [{ ...note, name: 'PostNotice' }, /the name is PostNotification/],
  'the other kind of stream': [{ ...ask, code: 0x42, name: 'PostNotification' }, /uni-stream/],
  'a code that only answers': [{ ...ask, code: 0xd5, name: 'PostFetchResponse' }, /only answers/],
  'the answer of another': [{ ...ask, response: { ...ask.response, code: 0x41 } }, /another code/],
  'a name of ours without a code': [{ ...ping, name: 'Ping' }, /vendor\/message@1/],
  'a name without a version': [{ ...ping, name: 'acme/ping' }, /vendor\/message@1/],
  'a name in capitals': [{ ...ping, name: 'acme/Ping@1' }, /vendor\/message@1/],
  'a third party answer with a code': [{ ...ping, response: { ...ping.response, code: 0xd5 } }, /has a code/],
};

for (const [name, [message, reason]] of Object.entries(refused)) {
  test(`${name}: refused`, (t) => {
    const { router } = wireRig().server.dispatcher;
    t.throws(() => router.check('p', [message as AnyMessage]), { code: 'wire/not-in-catalogue', message: reason });
  });
}

test('the least and the most of everything is taken', (t) => {
  const { router } = wireRig().server.dispatcher;
  const least = { perSecond: 0.001, burst: 1, inFlight: 1 };
  t.notThrows(() => router.check('p', [{ ...note, maxBytes: 1, budget: least }]));
  t.notThrows(() => router.check('p', [{ ...note, maxBytes: FRAME_MAX_BYTES }]));
  t.notThrows(() => router.check('p', [{ ...ask, response: { ...ask.response, maxBytes: FRAME_MAX_BYTES } }]));
  t.notThrows(() => router.check('p', [{ ...ping, name: `${'a'.repeat(32)}/${'b'.repeat(64)}@12345` }]));
  t.throws(() => router.check('p', [{ ...ping, name: `${'a'.repeat(33)}/b@1` }]));
  t.throws(() => router.check('p', [{ ...ping, name: `a/${'b'.repeat(65)}@1` }]));
  t.throws(() => router.check('p', [{ ...ping, name: 'a/b@123456' }]));
});

test('two plugins cannot have one message, nor one plugin the same twice, and the refusal says who has it', (t) => {
  const { server, serve } = wireRig();
  const { router } = server.dispatcher;
  serve('one', [ask, () => {}], [ping, () => {}]);
  for (const message of [ask, ping] as const)
    t.throws(() => router.check('two', [message]), {
      code: 'wire/duplicate-message',
      message: /already served by plugin one/,
    });
  t.throws(() => router.check('two', [note, note]), { code: 'wire/duplicate-message', message: /plugin two/ });
  t.throws(() => serve('two', [note, () => {}], [ask, () => {}]), { code: 'wire/duplicate-message' });
  t.deepEqual(server.dispatcher.router.inspect('two').messages, [], 'nothing is installed by half');
  server.dispatcher.router.remove('one');
  t.notThrows(() => router.check('two', [ask, ping]));
});

test('a process knows 1,024 third party names, whether they are still served or not', (t) => {
  const { server, serve } = wireRig();
  const named = (n: number) => ({ ...ping, name: `acme/m${n}@1` });
  const first = Array.from({ length: EXTENSION_NAMES_MAX }, (_, n) => named(n));
  serve('p', ...first.map((message): [AnyMessage, () => void] => [message, () => {}]));
  server.dispatcher.router.remove('p');
  const { router } = server.dispatcher;
  t.throws(() => router.check('q', [named(EXTENSION_NAMES_MAX)]), { message: /too many names/ });
  t.notThrows(() => router.check('q', [named(0), note]));
});
