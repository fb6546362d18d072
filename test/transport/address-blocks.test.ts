import test from 'ava';
import { addressBlocks } from '../../kernel/transport/address-blocks.ts';

const names = (address: string, blocksOf = addressBlocks()) => blocksOf(address).map(({ name }) => name);

test('an IPv4 address is a block of its own, an IPv6 one is in its /64 and its /48', (t) => {
  t.deepEqual(names('203.0.113.9:4433'), ['203.0.113.9/32']);
  t.deepEqual(addressBlocks()('[2001:db8:1:2:3::4]:4433'), [
    { name: '2001:db8:1:2::/64', shares: 1 },
    { name: '2001:db8:1::/48', shares: 4 },
  ]);
  t.deepEqual(names('2001:db8:1:2:3::4'), names('[2001:db8:1:2::9]:1'));
});

test('a host that writes its address in other forms was another host each time', (t) => {
  for (const form of ['::ffff:203.0.113.9', '64:ff9b::203.0.113.9', '2002:cb00:7109::1', '2002:cb00:7109:5::9'])
    t.deepEqual(names(form), ['203.0.113.9/32'], form);
});

test('private addresses have no share, unless a laboratory takes them for public or the setting is empty', (t) => {
  for (const address of [
    '127.0.0.1',
    '10.1.2.3',
    '192.168.1.1:5',
    '::1',
    '[fe80::1%eth0]:5',
    'fd00::1',
    '::ffff:10.0.0.1',
  ])
    t.deepEqual(names(address), [], address);
  t.deepEqual(names('10.1.2.3', addressBlocks(undefined, ['10.0.0.0/8'])), ['10.1.2.3/32']);
  t.deepEqual(names('127.0.0.1', addressBlocks([])), ['127.0.0.1/32']);
  t.deepEqual(names('100.64.0.1'), ['100.64.0.1/32'], 'a provider’s customers share one, and are strangers');
  t.deepEqual(names('no address'), []);
});
