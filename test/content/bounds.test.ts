import test from 'ava';
import { bytesToHex, canonicalJson, hexToBytes, RECORD_FUTURE_MAX_MS } from '../../kernel/index.ts';
import { deleteRecord, postNotification } from '../../plugins/content/api.ts';
import { POST_MAX_BYTES, readSyncPost, TEXT_MAX_BYTES } from '../../plugins/content/post.ts';
import { POST_SIGNATURE_DOMAIN } from '../../plugins/content/post.ts';
import type { SyncPost } from '../../plugins/content/post.ts';
import { postIdOf } from '../../plugins/content/post-id.ts';
import { composeDelete } from '../../plugins/content/publish.ts';
import { signedPost, testIdentity, World } from './world.ts';
import type { TestNode } from './world.ts';

/** What another implementation may send at most, and the first that is too much: both sides must agree to the byte. */

const anna = testIdentity('anna');
const NOW = 1_767_225_600_000;
const good = signedPost(anna, 'hello', NOW);
const attachment = { cid: good.id, mime: 'image/png', size: 1, name: 'a.png' };

/** How a post of this form reads; its id and signature do not matter for that. */
function read(changes: Record<string, unknown>): string {
  const result = readSyncPost({ ...good, post: { ...good.post, ...changes } });
  return typeof result === 'string' ? result : 'taken';
}

const atLimits: Record<string, { most: Record<string, unknown>; more: Record<string, unknown>; refusal: string }> = {
  text: {
    most: { content: 'x'.repeat(TEXT_MAX_BYTES) },
    more: { content: 'x'.repeat(TEXT_MAX_BYTES + 1) },
    refusal: 'too-large',
  },
  'text of two-byte characters': {
    most: { content: 'é'.repeat(TEXT_MAX_BYTES / 2) },
    more: { content: `${'é'.repeat(TEXT_MAX_BYTES / 2)}x` },
    refusal: 'too-large',
  },
  attachments: {
    most: { attachments: Array(4).fill(attachment) },
    more: { attachments: Array(5).fill(attachment) },
    refusal: 'too-large',
  },
  'the type of an attachment': {
    most: { attachments: [{ ...attachment, mime: 'x'.repeat(127) }] },
    more: { attachments: [{ ...attachment, mime: 'x'.repeat(128) }] },
    refusal: 'malformed',
  },
  'the name of an attachment': {
    most: { attachments: [{ ...attachment, name: 'x'.repeat(255) }] },
    more: { attachments: [{ ...attachment, name: 'x'.repeat(256) }] },
    refusal: 'malformed',
  },
  'the size of an attachment': {
    most: { attachments: [{ ...attachment, size: 10 * 1024 * 1024 }] },
    more: { attachments: [{ ...attachment, size: 10 * 1024 * 1024 + 1 }] },
    refusal: 'malformed',
  },
  'an empty attachment': {
    most: { attachments: [{ ...attachment, size: 0 }] },
    more: { attachments: [{ ...attachment, size: -1 }] },
    refusal: 'malformed',
  },
  'preferred peers': {
    most: { nplus10: Array(11).fill(anna.nodeId) },
    more: { nplus10: Array(12).fill(anna.nodeId) },
    refusal: 'malformed',
  },
  kind: { most: { kind: 'k'.repeat(32) }, more: { kind: 'k'.repeat(33) }, refusal: 'malformed' },
  'the earliest time': { most: { timestamp_ms: 1 }, more: { timestamp_ms: 0 }, refusal: 'malformed' },
};

for (const [name, { most, more, refusal }] of Object.entries(atLimits)) {
  test(`${name}: taken at the limit, ${refusal} beyond`, (t) => {
    t.is(read(most), 'taken');
    t.is(read(more), refusal);
  });
}

const malformed: Record<string, Record<string, unknown>> = {
  'an author that is no id': { author: 'anna' },
  'a text that is a number': { content: 7 },
  'a kind that is missing': { kind: undefined },
  'a reply to what is no id': { reply_to: 'that' },
  'a repost of what is no id': { repost_of: 7 },
  'preferred peers that are no list': { nplus10: anna.nodeId },
  'a preferred peer that is no id': { nplus10: [anna.nodeId, 'ben'] },
  'attachments that are no list': { attachments: attachment },
  'an attachment that is null': { attachments: [attachment, null] },
  'an attachment without its content': { attachments: [{ ...attachment, cid: 'abc' }] },
  'an attachment whose type is a number': { attachments: [{ ...attachment, mime: 7 }] },
  'an attachment whose name is missing': { attachments: [{ ...attachment, name: undefined }] },
  'an attachment of half a byte': { attachments: [{ ...attachment, size: 0.5 }] },
};

for (const [name, changes] of Object.entries(malformed)) {
  test(`${name}: malformed`, (t) => t.is(read(changes), 'malformed'));
}

test('a signature is 128 small hexadecimal digits', (t) => {
  const { signature } = good;
  for (const wrong of [`${signature}00`, signature.slice(2), signature.toUpperCase(), `0x${signature.slice(2)}`, 7])
    t.is(readSyncPost({ ...good, signature: wrong }), 'malformed');
});

test('unknown fields may nest to a depth of 16, be they lists or objects', (t) => {
  const form = (levels: number, wrap: (value: unknown) => unknown): (() => string) => {
    let value: unknown = 1;
    for (let level = 1; level < levels; level++) value = wrap(value);
    return () => canonicalJson({ ...good.post, deep: value } as typeof good.post);
  };
  for (const wrap of [(value: unknown) => [value], (value: unknown) => ({ value })]) {
    t.notThrows(form(16, wrap));
    t.throws(form(17, wrap), { instanceOf: TypeError });
    t.throws(form(10_000, wrap), { instanceOf: TypeError });
  }
});

test('numbers that JSON can write and no id can be computed over are refused', (t) => {
  const infinite: unknown = JSON.parse('1e999');
  t.throws(() => canonicalJson({ ...good.post, more: infinite } as typeof good.post), { instanceOf: TypeError });
});

/** With an unknown field that makes its canonical form this long. */
function padded(bytes: number): SyncPost {
  const empty = { ...good.post, padding: '' };
  const post = { ...empty, padding: 'x'.repeat(bytes - canonicalJson(empty).length) };
  const id = postIdOf(Buffer.from(canonicalJson(post)));
  return { ...good, post, id, signature: bytesToHex(anna.sign(POST_SIGNATURE_DOMAIN, hexToBytes(id))) };
}

async function reader(t: ConstructorParameters<typeof World>[0]): Promise<{ author: TestNode; node: TestNode }> {
  const world = new World(t);
  const [node, author] = [await world.node('reader'), await world.node('anna')];
  await node.follow(author);
  // A word is here as soon as it is said, so that a millisecond is one.
  world.net.link({ latencyMs: 0 });
  return { author, node };
}

/** Pushes a post, and says how often each refusal was counted since the start. */
async function push(node: TestNode, author: TestNode, post: SyncPost): Promise<Readonly<Record<string, number>>> {
  const notice = { post_id: post.id, author: author.id, timestamp_ms: 1, post };
  await node.world.clock.until(node.receive(author, postNotification, notice));
  return node.counters.read();
}

/** The same for a post that is too large for a notice: the author hands it out when it is pulled from. */
async function pull(node: TestNode, author: TestNode, post: SyncPost): Promise<Readonly<Record<string, number>>> {
  author.answer = ({ name }) =>
    name === 'PullSyncRequest'
      ? { log: 'a'.repeat(32), posts: [post], deletes: [], cursors: [], more: false }
      : undefined;
  await node.run('sync.now');
  return node.counters.read();
}

test('a whole post of 128 KiB is stored, one byte more is too large', async (t) => {
  const { author, node } = await reader(t);
  await node.world.connect(node, author);
  await pull(node, author, padded(POST_MAX_BYTES));
  t.deepEqual(await node.texts(), ['hello']);
  const counted = await pull(node, author, padded(POST_MAX_BYTES + 1));
  t.is(counted['post-refused:too-large'], 1);
  t.is((await node.texts()).length, 1);
});

test('a post and a delete may be ahead of our clock by ten minutes, and by no millisecond more', async (t) => {
  const { author, node } = await reader(t);
  const ahead = (ms: number): number => node.world.clock.now() + ms;
  t.is((await push(node, author, signedPost(anna, 'x', ahead(RECORD_FUTURE_MAX_MS + 1))))['post-refused:future'], 1);
  const latest = signedPost(anna, 'x', ahead(RECORD_FUTURE_MAX_MS));
  t.is((await push(node, author, latest))['post-refused:future'], 1);
  t.deepEqual(await node.texts(), ['x']);
  const remove = (ms: number): Promise<unknown> =>
    node.world.clock.until(node.receive(author, deleteRecord, composeDelete(anna, latest.id, ahead(ms))));
  await remove(RECORD_FUTURE_MAX_MS + 1);
  t.deepEqual(await node.texts(), ['x']);
  await remove(RECORD_FUTURE_MAX_MS);
  t.deepEqual(await node.texts(), []);
});
