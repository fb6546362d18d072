import test from 'ava';
import { VirtualClock } from '../../kernel/clock/index.ts';
import { ItsgoinError, lifecycleCode } from '../../kernel/index.ts';
import type { ConnectionInfo, DialTarget, NodeId } from '../../kernel/index.ts';
import { createCounters } from '../../kernel/observe/index.ts';
import { isDialable } from '../../kernel/transport/address.ts';
import { callOff } from '../../plugins/peers/api.ts';
import { Connector } from '../../plugins/peers/connector.ts';
import type { PeersContext } from '../../plugins/peers/context.ts';
import { DialBudget, FAILURES_PER_ADDRESS, FAILURES_PER_SITE } from '../../plugins/peers/dial-budget.ts';
import { DialPurposes } from '../../plugins/peers/dial-purposes.ts';
import { History } from '../../plugins/peers/history.ts';
import { PeerSessions } from '../../plugins/peers/sessions.ts';
import type { PeerSession } from '../../plugins/peers/sessions.ts';
import { nodeIds } from '../routing/ids.ts';

const [SELF, TELLER, PEER, ...OTHERS] = nodeIds('connector', 60) as [NodeId, NodeId, NodeId, ...NodeId[]];
const HOME = '203.0.113.7:4433';

/** A connector over a network on which a dial hangs until the test answers it. */
function rig({ tellerAt = '198.51.100.1:4433' } = {}) {
  const clock = new VirtualClock();
  const counters = createCounters().of('mesh');
  const sessions = new PeerSessions();
  const purposes = new DialPurposes();
  const dials: DialTarget[] = [];
  const live = new Map<number, ConnectionInfo>();
  const answers: { connect(at: string): number; fail(): void }[] = [];
  const dial = (target: DialTarget, { signal }: { signal?: AbortSignal } = {}) =>
    new Promise<ConnectionInfo>((resolve, reject) => {
      dials.push(target);
      signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
      answers.push({
        connect: (remoteAddr) => {
          const connection = { id: live.size + 1, remoteAddr, peer: { nodeId: target.nodeId } } as ConnectionInfo;
          live.set(connection.id, connection);
          sessions.add({
            connectionId: connection.id,
            nodeId: target.nodeId ?? SELF,
            state: 'asking',
          } as Partial<PeerSession> as PeerSession);
          resolve(connection);
          return connection.id;
        },
        fail: () => reject(new ItsgoinError('transport/dial-timeout', { message: 'nobody there' })),
      });
    });
  const network = {
    self: { nodeId: SELF },
    dial,
    connection: (id: number) => live.get(id),
    connectionsOf: (nodeId: NodeId) =>
      nodeId === TELLER ? [{ remoteAddr: tellerAt }] : [...live.values()].filter(({ peer }) => peer.nodeId === nodeId),
    mayDial: (address: string, from: string) =>
      isDialable(address, from, ['203.0.113.0/24', '198.51.100.0/24', '192.0.2.0/24']),
  };
  const peers = {
    ctx: { clock, counters, signal: new AbortController().signal, contributions: () => [] },
    network,
  } as never as PeersContext;
  const budget = new DialBudget(clock);
  const store = { get: () => undefined } as never;
  const connector = new Connector(peers, {
    sessions,
    store,
    history: new History(),
    budget,
    purposes,
    dialled: () => {},
  });
  const becomePeer = (id: number): void => {
    const session = sessions.get(id) as PeerSession;
    session.state = 'ready';
    sessions.settle(session);
  };
  return { clock, counters, connector, purposes, dials, answers, becomePeer };
}

const told = (...addresses: string[]) => ({ addresses, by: TELLER });
const codeOf = (error: { code?: string }): string | undefined => error.code;

test('told ten thousand addresses, a node dials eight of them, and of one stranger no more than its budget', async (t) => {
  const { connector, dials, answers } = rig();
  const many = Array.from({ length: 10_000 }, (_, at) => `192.0.2.200:${at + 1}`);
  for (const nodeId of OTHERS) {
    const reached = connector.connect({ nodeId, told: told(...many), purpose: 'growth' }).catch(codeOf);
    answers.shift()?.fail();
    await reached;
  }
  t.true(dials.every(({ addresses }) => addresses.length <= 8));
  const all = dials.flatMap(({ addresses }) => addresses);
  t.true(all.length <= FAILURES_PER_SITE, `${all.length} dials`);
  for (const address of new Set(all)) t.true(all.filter((one) => one === address).length <= FAILURES_PER_ADDRESS);
});

test('told one address in several spellings, a node dialled and paid for it several times, and got nothing back', async (t) => {
  const { connector, dials, answers, becomePeer } = rig();
  const spellings = ['192.0.2.77:4433', '[::ffff:192.0.2.77]:4433', '[::ffff:c000:24d]:4433', '[fe80::1%eth0]:4433'];
  for (let round = 0; round < 2 * FAILURES_PER_ADDRESS; round++) {
    const nodeId = OTHERS[round] as NodeId;
    const reached = connector.connect({ nodeId, told: told(...spellings.slice(round % 2)), purpose: 'growth' });
    t.deepEqual(dials.at(-1)?.addresses, ['192.0.2.77:4433']);
    becomePeer(answers.shift()?.connect('192.0.2.77:4433') ?? 0);
    await reached;
  }
  t.is(dials.length, 2 * FAILURES_PER_ADDRESS);
});

test('nothing is dialled that its teller may not have us dial', async (t) => {
  const { connector, dials, counters } = rig();
  const inner = ['127.0.0.1:22', '10.0.0.1:22', '[::1]:1', '224.0.0.1:53', '0.0.0.0:1', 'victim.example:443', '', '?'];
  const request = { nodeId: PEER, told: told(...inner), purpose: 'growth' };
  t.is(await connector.connect(request).catch(codeOf), 'mesh/not-dialable');
  // Who is not here any more has only public addresses believed, unless it is known where it was.
  const lan = { addresses: ['10.0.0.9:1'], by: OTHERS[0] as NodeId };
  t.is(await connector.connect({ nodeId: PEER, told: lan, purpose: 'growth' }).catch(codeOf), 'mesh/not-dialable');
  t.deepEqual(dials, []);
  t.is(counters.read().dials, undefined);
  void connector.connect({ nodeId: PEER, told: { ...lan, seenAt: '10.0.0.7:1' }, purpose: 'growth' });
  t.deepEqual(dials[0]?.addresses, ['10.0.0.9:1']);
});

test('who is looked for and is the node itself is not dialled', async (t) => {
  const { connector, dials } = rig();
  t.is(await connector.connect({ nodeId: SELF, told: told(HOME), purpose: 'growth' }).catch(codeOf), 'mesh/own-node');
  t.deepEqual(dials, []);
});

test('a dial that led to its node, was called off, or is begun again after a swap costs nothing; one that was given up does', async (t) => {
  const { connector, answers, becomePeer, dials } = rig();
  for (let round = 0; round < 2 * FAILURES_PER_ADDRESS; round++) {
    const nodeId = OTHERS[round] as NodeId;
    const reached = connector.connect({ nodeId, told: told(HOME), purpose: 'growth' });
    becomePeer(answers.shift()?.connect(HOME) ?? 0);
    t.is((await reached).nodeId, nodeId);
  }
  const giveUp = async (reason: unknown): Promise<string | undefined> => {
    const controller = new AbortController();
    const { signal } = controller;
    const request = { nodeId: PEER, told: told(HOME), purpose: 'worm-search', signal };
    const reached = connector.connect(request).then(() => 'reached', codeOf);
    controller.abort(reason);
    return reached;
  };
  for (let round = 0; round < 2 * FAILURES_PER_ADDRESS; round++) t.is(await giveUp(callOff()), 'mesh/called-off');
  const swapped = Object.assign(new Error('swapped'), { code: lifecycleCode('swap-aborted-call') });
  for (let round = 0; round < 2 * FAILURES_PER_ADDRESS; round++) t.is(await giveUp(swapped), swapped.code);
  const enough = Object.assign(new Error('enough'), { code: 'test/enough' });
  for (let round = 0; round < FAILURES_PER_ADDRESS; round++) t.is(await giveUp(enough), 'test/enough');
  const before = dials.length;
  t.is(await giveUp(enough), 'mesh/over-budget');
  t.is(dials.length, before);
});

test('one dial serves all who want the same, and ends when nobody waits for it', async (t) => {
  const { connector, answers, dials, becomePeer } = rig();
  const [one, other] = [new AbortController(), new AbortController()];
  const request = { nodeId: PEER, at: [HOME], purpose: 'user' };
  const first = connector.connect({ ...request, signal: one.signal });
  const second = connector.connect({ ...request, signal: other.signal });
  one.abort(new Error('enough'));
  await t.throwsAsync(first, { message: 'enough' });
  t.is(connector.dialling, 1);
  becomePeer(answers.shift()?.connect(HOME) ?? 0);
  t.is((await second).nodeId, PEER);
  t.is(dials.length, 1);
  const third = connector.connect({ nodeId: OTHERS[0] as NodeId, at: [HOME], purpose: 'user', signal: other.signal });
  other.abort(new Error('enough'));
  await t.throwsAsync(third, { message: 'enough' });
  t.is(await Promise.resolve(connector.dialling), 0);
});

test('a purpose lasts until the node is a peer, and 45 seconds at most', async (t) => {
  const { clock, connector, purposes, answers } = rig();
  const reached = connector.connect({ nodeId: PEER, at: [HOME], purpose: 'worm-search' }).catch(codeOf);
  answers.shift()?.connect(HOME);
  await clock.advance(44_000);
  t.deepEqual(purposes.of(PEER), ['worm-search']);
  await clock.advance(2_000);
  t.deepEqual(purposes.of(PEER), []);
  t.is(await reached, 'clock/deadline');
});

test('narrower limits of one kind of dial leave room for others', async (t) => {
  const { connector, dials, answers } = rig();
  const limits = { group: 'probe', perSite: 2, total: 30 };
  const dial = async (at: number, isProbe: boolean): Promise<string | undefined> => {
    const word = { ...told(`192.0.2.9:${at + 1}`), ...(isProbe ? { limits } : {}) };
    const reached = connector
      .connect({ nodeId: OTHERS[at] as NodeId, told: word, purpose: 'probe' })
      .then(() => '', codeOf);
    answers.shift()?.fail();
    return reached;
  };
  const outcomes = [];
  for (let at = 0; at < 4; at++) outcomes.push(await dial(at, true));
  t.deepEqual(outcomes.slice(2), ['mesh/over-budget', 'mesh/over-budget']);
  t.is(await dial(9, false), 'transport/dial-timeout');
  t.is(dials.length, 3);
});
