import test from 'ava';
import { initialExchange } from '../../plugins/peers/messages.ts';
import { referralRequest } from '../../plugins/anchors/messages.ts';
import type { FakeNode } from '../mesh/fake-net.ts';
import { tapWire } from '../privacy/wire-tap.ts';
import type { TappedFrame } from '../privacy/wire-tap.ts';
import { anchorNet, NO_GROWTH } from './anchor-net.ts';

const config = NO_GROWTH;

test('addresses of a home are told within it alone: by an anchor that has a foot in both', async (t) => {
  const net = anchorNet(t);
  const frames: TappedFrame[] = [];
  t.teardown(tapWire((frame) => frames.push(frame)));
  const anchor = await net.anchorNode('anchor', { config: { ...config, anchors: { declare: true } } });
  const at = (host: string, declare = false) =>
    net.anchorNode(host, { host, anchors: [anchor.connectString], config: { ...config, anchors: { declare } } });
  await at('10.0.0.5');
  await at('10.0.0.6', true);
  await net.clock.advance(5_000);
  const cellar = await at('10.0.0.7');
  await net.clock.advance(5_000);
  const outside = await net.anchorNode('outside', { config, anchors: [anchor.connectString] });
  await net.clock.advance(60_000);
  const told = (node: FakeNode) =>
    frames.filter(({ from, to }) => from === anchor.id && to === node.id).map(({ text }) => text);
  t.true(
    told(cellar).some((text) => text.includes('10.0.0.5')),
    'the kitchen is referred to the cellar',
  );
  t.true(
    told(cellar).some((text) => text.includes('10.0.0.6')),
    'and the attic is an anchor for both',
  );
  t.true(told(outside).length > 2);
  for (const text of told(outside)) t.notRegex(text, /\b10\.0\.0\.\d/);
  t.true(frames.some(({ from, code }) => from === outside.id && code === referralRequest.code));
  t.true(frames.some(({ from, code }) => from === outside.id && code === initialExchange.code));
});
