import test from 'ava';
import {
  classifyAddress,
  formatAddress,
  isDialable,
  parseAddress,
  placeOf,
  resolveAddress,
  socketAddress,
} from '../../kernel/transport/address.ts';

test('an address reads and writes the same', (t) => {
  for (const text of ['192.0.2.1:4433', '[2001:db8::1]:4433', '127.0.0.1:1', '[::1]:65535']) {
    t.is(formatAddress(parseAddress(text)), text);
  }
});

test('IPv4 inside IPv6 is IPv4 (MESH-11)', (t) => {
  t.deepEqual(socketAddress('::ffff:192.0.2.1', 1), { host: '192.0.2.1', port: 1, family: 4 });
  t.deepEqual(socketAddress('::ffff:c000:201', 1), { host: '192.0.2.1', port: 1, family: 4 });
  t.is(formatAddress(parseAddress('[::ffff:192.0.2.1]:4433')), '192.0.2.1:4433');
});

test('IPv6 has one spelling, and keeps its zone', (t) => {
  t.is(socketAddress('2001:0DB8:0:0:0:0:0:1', 1).host, '2001:db8::1');
  t.is(socketAddress('fe80::1%eth0', 1).host, 'fe80::1%eth0');
});

test('what is no address is refused by name', (t) => {
  for (const text of [
    '',
    ':',
    '1.2.3.4',
    '1.2.3.4:',
    '1.2.3.4:0',
    '1.2.3.4:65536',
    '::1:80',
    '[::1]',
    '[::1]:',
    'host:80',
    '1.2.3.4:80 ',
    '[1.2.3.4:80',
  ]) {
    t.throws(() => parseAddress(text), { code: 'transport/bad-address' }, text);
  }
});

test('a name is looked up, an address is taken as it is', async (t) => {
  const found = await resolveAddress('localhost:80');
  t.true(found.length > 0 && found.every(({ host }) => host === '127.0.0.1' || host === '::1'));
  t.deepEqual(await resolveAddress('192.0.2.1:80'), [{ host: '192.0.2.1', port: 80, family: 4 }]);
  await t.throwsAsync(resolveAddress('no-such-name.invalid:80'), { code: 'transport/unreachable' });
});

test('a private IPv4 address inside an IPv6 one counted as public, and was dialled on anybody’s word', (t) => {
  const inside: Record<string, [kind: string, dialable: boolean]> = {
    '64:ff9b::7f00:1': ['loopback', false],
    '64:ff9b::a00:1': ['private', false],
    '64:ff9b::808:808': ['public', true],
    '64:ff9b:1::808:808': ['private', false],
    '2002:7f00:1::1': ['loopback', false],
    '2002:c0a8:101::1': ['private', false],
    '2002:808:808::1': ['public', true],
    // A Teredo address names its server (8.8.8.8) and its client, whose bits are inverted.
    '2001:0:808:808::f7f7:f7f7': ['public', true],
    '2001:0:808:808::f5ff:fffe': ['private', false],
    '2001:0:a00:1::f7f7:f7f7': ['private', false],
    '::7f00:1': ['loopback', false],
    '::a00:1': ['private', false],
    '::ffff:7f00:1': ['loopback', false],
  };
  for (const [host, [kind, dialable]] of Object.entries(inside)) {
    t.is(classifyAddress(host), kind as never, host);
    t.is(isDialable(`[${host}]:4433`, '8.8.4.4:1'), dialable, host);
  }
  t.is(classifyAddress('64:ff9b::a00:1', ['10.0.0.0/8']), 'public');
});

test('one IPv4 address had a site for every IPv6 address that leads to it', (t) => {
  for (const host of ['2002:808:808::1', '2002:808:808:1::1', '64:ff9b::808:808', '2001:0:909:909::f7f7:f7f7']) {
    t.is(placeOf(`[${host}]:4433`).site, '8.8.8.8', host);
  }
  t.not(placeOf('[64:ff9b::808:808]:1').site, placeOf('[64:ff9b::808:809]:1').site);
});

test('every kind of address has its class', (t) => {
  const classes: Record<string, string> = {
    '8.8.8.8': 'public',
    '2600::1': 'public',
    '10.1.2.3': 'private',
    '172.16.0.1': 'private',
    '192.168.1.1': 'private',
    'fd00::1': 'private',
    '127.0.0.1': 'loopback',
    '::1': 'loopback',
    '169.254.1.1': 'link-local',
    'fe80::1%eth0': 'link-local',
    '100.64.0.1': 'cgnat',
    '224.0.0.251': 'multicast',
    '255.255.255.255': 'multicast',
    'ff02::1': 'multicast',
    '192.0.2.1': 'documentation',
    '198.51.100.1': 'documentation',
    '2001:db8::1': 'documentation',
    '0.0.0.0': 'unspecified',
    '::': 'unspecified',
    '::ffff:10.0.0.1': 'private',
    '::ffff:8.8.8.8': 'public',
  };
  for (const [host, expected] of Object.entries(classes)) t.is(classifyAddress(host), expected as never, host);
});

test('a laboratory may count its ranges as public', (t) => {
  const lab = ['192.0.2.0/24', '2001:db8::/32'];
  t.is(classifyAddress('192.0.2.9', lab), 'public');
  t.is(classifyAddress('2001:db8::9', lab), 'public');
  t.is(classifyAddress('198.51.100.9', lab), 'documentation');
  t.is(classifyAddress('10.0.0.1', lab), 'private');
});

test('an address learned from others is dialled only in the scope of who told it', (t) => {
  const stranger = '9.9.9.9:1';
  for (const address of ['8.8.8.8:4433', '[2606:4700::1]:443']) t.true(isDialable(address, stranger));
  const inside = ['10.0.0.1:1', '192.168.1.1:80', '127.0.0.1:22', '[::1]:22', '169.254.169.254:80', '100.64.0.1:1'];
  for (const address of [...inside, '[fd00::1]:1', '[fe80::1]:1', '[::ffff:10.0.0.1]:1', '192.0.2.1:1']) {
    t.false(isDialable(address, stranger), address);
    t.true(isDialable(address, address), address);
  }
  for (const address of [
    '224.0.0.1:1',
    '255.255.255.255:1',
    '0.0.0.0:1',
    '[::]:1',
    '[ff02::1]:1',
    'host.example:1',
    '',
    '8.8.8.8',
  ]) {
    t.false(isDialable(address, stranger), address);
    t.false(isDialable(address, address), address);
  }
  t.false(isDialable('10.0.0.1:1', '127.0.0.1:5'));
  t.true(isDialable('192.0.2.1:1', stranger, ['192.0.2.0/24']));
});
