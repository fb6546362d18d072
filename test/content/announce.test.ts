import test from 'ava';
import type { ExecutionContext } from 'ava';
import { wireErrors } from '../../kernel/wire/errors.ts';
import { World } from './world.ts';
import type { TestNode } from './world.ts';

async function pair(t: ExecutionContext): Promise<{ world: World; anna: TestNode; ben: TestNode }> {
  const world = new World(t);
  const [anna, ben] = [await world.node('anna'), await world.node('ben')];
  await ben.follow(anna);
  await world.connect(anna, ben);
  return { world, anna, ben };
}

/** Refuses the first notices with this code, and notes those that come after. */
function refuseNotices(
  node: TestNode,
  code: 'deadline' | 'not-connected' | 'unsupported',
  refusals: number,
): unknown[] {
  const came: unknown[] = [];
  node.answer = (message, notice: { behind?: boolean }) => {
    if (message.name !== 'PostNotification') return undefined;
    if (refusals-- > 0) throw wireErrors.make(code, { name: 'PostNotification' });
    came.push(notice.behind);
    return undefined;
  };
  return came;
}

test('a peer that did not take a notice in time is told a little later that it is behind', async (t) => {
  const { world, anna, ben } = await pair(t);
  const came = refuseNotices(ben, 'deadline', 1);
  await anna.run('post.create', { text: 'hello' });
  await world.settle();
  t.deepEqual(came, []);
  await world.clock.advance(500);
  t.deepEqual(came, [true]);
  t.is(anna.figures().announcing, 0);
  t.deepEqual(await ben.texts(), ['hello']);
});

for (const code of ['not-connected', 'unsupported'] as const) {
  test(`a peer whose notice failed with ${code} is not told again: it pulls when it can`, async (t) => {
    const { world, anna, ben } = await pair(t);
    const came = refuseNotices(ben, code, 1);
    await anna.run('post.create', { text: 'hello' });
    await world.clock.advance(5_000);
    t.deepEqual(came, []);
    t.is(anna.counters.read()[`announcement-failed:wire/${code}`], 1);
  });
}

test('who is behind when a reload comes is told by the next generation', async (t) => {
  const { world, anna, ben } = await pair(t);
  const came = refuseNotices(ben, 'deadline', 1);
  await anna.run('post.create', { text: 'hello' });
  await world.clock.advance(20);
  t.is(anna.figures().announcing, 1);
  await anna.reload();
  await world.settle();
  t.deepEqual(came, [true]);
  t.is(anna.figures().announcing, 0);
});

test('a node whose peers were told all has nothing left to do', async (t) => {
  const { world, anna } = await pair(t);
  await world.clock.advance(30_000);
  const idle = world.clock.pending;
  await anna.run('post.create', { text: 'hello' });
  t.true(world.clock.pending > idle);
  await world.clock.advance(3_000);
  t.is(anna.figures().announcing, 0);
  // The deadlines of what was sent pass, too.
  await world.clock.advance(20_000);
  t.is(world.clock.pending, idle);
});

test('a notice carries its post when that is small, and says that more came before only when it did', async (t) => {
  const { world, anna, ben } = await pair(t);
  const bodies: object[] = [];
  ben.answer = (message, body: object) => {
    if (message.name === 'PostNotification') bodies.push(body);
    return undefined;
  };
  await anna.run('post.create', { text: 'small' });
  await anna.run('post.create', { text: 'x'.repeat(20_000) });
  await world.settle();
  t.deepEqual(
    bodies.map((body) => Object.keys(body).sort()),
    [
      ['author', 'post', 'post_id', 'timestamp_ms'],
      ['author', 'post_id', 'timestamp_ms'],
    ],
  );
});
