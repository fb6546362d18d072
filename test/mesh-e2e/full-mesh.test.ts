import test from 'ava';
import { newcomer } from './newcomer.ts';
import { idsBut, meshOf, NODES, type Slots, swarm, untilPeersOf } from './swarm.ts';

interface Found {
  readonly found: boolean;
  readonly holder: string | null;
}

for (const start of ['in turn', 'at once'] as const) {
  test(`twelve processes started ${start} with one anchor's address become one mesh, and stay one without it`, async (t) => {
    t.timeout(400_000);
    const { anchor, others, growthMs, wholeMs } = await swarm(t, start);
    t.log(`full mesh of ${NODES}: ${seconds(wholeMs)} after the last process was spawned`);
    t.log(
      `a newcomer has its ${NODES - 1} peers ${seconds(Math.min(...growthMs))} to ${seconds(Math.max(...growthMs))} after it was`,
    );
    const [author, reader, second, searcher] = others as [typeof anchor, typeof anchor, typeof anchor, typeof anchor];

    // What a user sees of it, by the command line.
    const slots = await author.cli<Slots>('mesh', 'slots');
    t.is(slots.held, NODES - 1);
    t.is(meshOf(slots), idsBut(author, [anchor, ...others]));
    t.like(await author.cli('peer', 'reach', searcher.nodeId), { node_id: searcher.nodeId, layer: 'n1' });
    t.like(await author.cli('peer', 'explain', searcher.nodeId), {
      verdict: 'connected',
      connections: [{ kind: 'mesh' }],
    });
    await reader.cli('follow', 'add', author.nodeId);
    const { id } = await author.cli<{ id: string }>('post', 'create', 'to whom it concerns');
    await reads(reader, id);
    t.like(await reader.cli('feed', 'list'), { posts: [{ id, author: author.nodeId, text: 'to whom it concerns' }] });
    const search = await searcher.cli<Found>('search', id, '--kind', 'post', '--explain');
    t.true(search.found);
    t.true([author.nodeId, reader.nodeId].includes(search.holder ?? ''));
    t.like(await searcher.cli('search', reader.nodeId), { found: true, holder: reader.nodeId });

    await second.cli('anchor', 'declare', 'on');
    await anchor.kill();
    const killedMs = performance.now();
    await Promise.all(others.map((node) => untilPeersOf(node, others)));
    t.log(
      `${NODES - 1} of ${NODES} are one mesh without the anchor; its slots are free ${seconds(performance.now() - killedMs)} after SIGKILL`,
    );
    const { id: later } = await author.cli<{ id: string }>('post', 'create', 'the anchor is gone');
    await reads(reader, later);

    const late = await newcomer(t, [anchor.connectString, second.connectString]);
    const lateMs = await untilPeersOf(late, [late, ...others]);
    t.log(
      `one more, told of the dead anchor and of another, has all ${NODES - 1} peers ${seconds(lateMs)} after its start`,
    );
    await late.cli('follow', 'add', author.nodeId);
    await reads(late, later);
    const { rejoins } = await late.cli<{ rejoins: { steps: { node_id: string; result: string }[] }[] }>(
      'anchor',
      'explain',
    );
    t.deepEqual(
      rejoins[0]?.steps.slice(0, 2).map(({ node_id, result }) => [node_id, result]),
      [
        [anchor.nodeId, 'transport/dial-timeout'],
        [second.nodeId, 'connected'],
      ],
    );
  });
}

/** Waits until a node has a post. */
const reads = (node: Awaited<ReturnType<typeof newcomer>>, id: string): Promise<unknown> =>
  node.until(
    'content/post-stored',
    () => node.call<{ posts: { id: string }[] }>('feed.list'),
    ({ posts }) => posts.some((post) => post.id === id),
  );

const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;
