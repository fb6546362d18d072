import test from 'ava';
import { VirtualClock } from '../../kernel/clock/index.ts';
import type { NodeId } from '../../kernel/index.ts';
import { DialBudget, FAILURES_PER_ADDRESS, FAILURES_PER_SITE } from '../../plugins/peers/dial-budget.ts';
import { nodeIds } from '../routing/ids.ts';
import { Neighbourhood } from '../routing/neighbourhood.ts';
import type { Neighbour } from '../routing/neighbourhood.ts';

const VICTIM = '203.0.113.200';

test('changing the port does not help against the limit of a site', async (t) => {
  const clock = new VirtualClock();
  const budget = new DialBudget(clock);
  const taken = Array.from({ length: 500 }, (_, i) => budget.take(`${VICTIM}:${i + 1}`));
  t.is(taken.filter(Boolean).length, FAILURES_PER_SITE);
  t.true(budget.take('203.0.113.201:1'));
  await clock.advance(600_000);
  t.true(budget.take(`${VICTIM}:1`));
});

test('another way to write an address is no other address', (t) => {
  const forms: Readonly<Record<string, readonly string[]>> = {
    'an IPv4 address': [
      '203.0.113.200:443',
      '203.0.113.200:0443',
      '[::ffff:203.0.113.200]:443',
      '[::ffff:cb00:71c8]:443',
    ],
    'an IPv6 address': [
      '[2001:db8::1]:443',
      '[2001:DB8:0::1]:443',
      '[2001:0db8:0:0:0:0:0:1]:443',
      '[2001:db8::0001]:00443',
    ],
  };
  for (const [what, texts] of Object.entries(forms)) {
    const budget = new DialBudget(new VirtualClock());
    t.is(texts.filter((text) => budget.take(text)).length, FAILURES_PER_ADDRESS, what);
  }
});

test('the addresses of one IPv6 household are one site', (t) => {
  const budget = new DialBudget(new VirtualClock());
  const taken = Array.from({ length: 500 }, (_, i) => budget.take(`[2001:db8:0:7::${(i + 1).toString(16)}]:443`));
  t.is(taken.filter(Boolean).length, FAILURES_PER_SITE);
  t.true(budget.take('[2001:db8:0:8::1]:443'));
});

test('nodes of a laboratory on one machine are counted by port alone', (t) => {
  const budget = new DialBudget(new VirtualClock());
  for (let round = 0; round < 5; round++) {
    const taken = Array.from({ length: 100 }, (_, i) => budget.take(`127.0.0.1:${i + 1}`));
    t.is(taken.filter(Boolean).length, round < FAILURES_PER_ADDRESS ? 100 : 0);
  }
});

test('dials that lead to their node cost nothing', (t) => {
  const budget = new DialBudget(new VirtualClock());
  for (let i = 0; i < 100; i++) {
    t.true(budget.take('203.0.113.7:4433'));
    budget.refund('203.0.113.7:4433');
  }
});

test('a crowd of inventions does not wash out what a stranger has had', async (t) => {
  const clock = new VirtualClock();
  const budget = new DialBudget(clock);
  let dialled = 0;
  for (let i = 0; i < 40_000; i++) {
    budget.take(`198.${18 + (i >> 15)}.${(i >> 7) % 256}.${i % 128}:443`);
    if (i % 100 === 0 && budget.take(`${VICTIM}:443`)) dialled++;
  }
  t.is(dialled, FAILURES_PER_ADDRESS);
  await clock.advance(600_000);
  t.true(budget.take('203.0.113.5:443'), 'it ends with the window');
});

const look = (net: Neighbourhood, from: Neighbour, id: NodeId) =>
  net.clock.until(from.lookup.connect(id, { purpose: 'growth' }).catch(() => undefined));

test('a stranger named along with a true address is dialled no more often for it', async (t) => {
  const net = new Neighbourhood();
  const [a, liar] = [net.add('a'), net.add('liar')];
  await net.join(a, liar);
  const accomplices = Array.from({ length: 12 }, (_, i) => net.add(`accomplice${i}`));
  liar.shareN1(() => accomplices.map(({ id }) => id));
  await net.run(130_000, 10_000);
  for (const accomplice of accomplices) {
    liar.lie = () => ({ known: true, addresses: [`${VICTIM}:443`, accomplice.addr] });
    await look(net, a, accomplice.id);
    t.true(a.links.has(accomplice.id));
  }
  t.is(net.dials.filter(({ address }) => address.startsWith(VICTIM)).length, FAILURES_PER_ADDRESS);
});

test('what many nodes said of themselves, each once, is one stranger to dial', async (t) => {
  const net = new Neighbourhood();
  const a = net.add('a');
  for (const id of nodeIds('gone', 50)) {
    a.book.set(id, [`${VICTIM}:443`]);
    await look(net, a, id);
  }
  t.true(net.dials.length <= 2 * FAILURES_PER_ADDRESS, `${net.dials.length} dials`);
});
