import test from 'ava';
import { VirtualClock } from '../../kernel/clock/index.ts';
import type { ConnectionInfo, NodeId } from '../../kernel/index.ts';
import { createCounters } from '../../kernel/observe/index.ts';
import type { MeshContext } from '../../plugins/mesh/context.ts';
import { Links } from '../../plugins/mesh/links.ts';
import { meshService } from '../../plugins/mesh/service.ts';
import { Intents } from '../../plugins/mesh/slots/intents.ts';
import { nodeIds } from '../knowledge/ids.ts';

const [PEER] = nodeIds('expect-session', 1) as [NodeId];
const CONNECTION = { id: 7 } as ConnectionInfo;

function service(live: readonly ConnectionInfo[]) {
  const clock = new VirtualClock();
  const intents = new Intents();
  const ctx = { clock, counters: createCounters().of('mesh'), signal: new AbortController().signal };
  const network = { connection: (id: number) => live.find((connection) => connection.id === id) };
  const mesh = { ctx, network } as never as MeshContext;
  return { clock, intents, expects: meshService(mesh, { intents, links: new Links() } as never) };
}

test('a session that ended before anybody waited for it is expected no more', async (t) => {
  const { clock, intents, expects } = service([]);
  expects.expectSession(PEER, Promise.resolve(CONNECTION));
  t.false(intents.wantsSlot(PEER));
  await clock.advance(1);
  t.true(intents.wantsSlot(PEER));
});

test('a session whose exchange never ends is expected for 45 seconds', async (t) => {
  const { clock, intents, expects } = service([CONNECTION]);
  expects.expectSession(PEER, Promise.resolve(CONNECTION));
  await clock.advance(44_000);
  t.false(intents.wantsSlot(PEER));
  await clock.advance(2_000);
  t.true(intents.wantsSlot(PEER));
});
