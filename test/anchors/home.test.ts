import test from 'ava';
import type { TestNode } from '../../kernel/testing/index.ts';
import { initialExchange } from '../../plugins/peers/messages.ts';
import { referralRequest } from '../../plugins/anchors/messages.ts';
import { tapWire } from '../privacy/wire-tap.ts';
import type { TappedFrame } from '../privacy/wire-tap.ts';
import { anchorNet, anchorNode, NO_GROWTH } from './anchor-net.ts';

const config = NO_GROWTH;

test('addresses of a home are told within it alone: by an anchor that has a foot in both', async (t) => {
  const net = anchorNet(t);
  const frames: TappedFrame[] = [];
  t.teardown(tapWire((frame) => frames.push(frame)));
  const anchor = await anchorNode(net, 'anchor', { config: { ...config, anchors: { declare: true } } });
  const at = (host: string, declare = false) =>
    anchorNode(net, host, { host, anchors: [anchor.connectString], config: { ...config, anchors: { declare } } });
  await at('10.0.0.5');
  await at('10.0.0.6', true);
  await net.advance(5_000);
  const cellar = await at('10.0.0.7');
  await net.advance(5_000);
  const outside = await anchorNode(net, 'outside', { config, anchors: [anchor.connectString] });
  await net.advance(60_000);
  const told = (node: TestNode) =>
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
