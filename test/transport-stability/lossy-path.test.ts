import test from 'ava';
import { onceCollected, pattern, quicRig } from '../contract/transport-rig.ts';
import { collect } from '../contract/transport-rig.ts';
import { UdpProxy } from '../transport/udp-proxy.ts';

const rig = quicRig();
const MIB = 1024 * 1024;

for (const [name, maxBytes] of [
  ['a path of large datagrams', 65_535],
  ['an ordinary path', 1_472],
] as const) {
  test.serial(`30 % loss and 200 ms delay still deliver 10 MB intact on ${name}`, async (t) => {
    t.timeout(900_000);
    const a = await rig.node();
    const b = await rig.node();
    const proxy = await UdpProxy.before(b.address());
    t.teardown(async () => {
      await a.endpoint.close();
      await b.endpoint.close();
      proxy.close();
    });
    proxy.loss = 0.3;
    proxy.delayMs = 100; // Each way: 200 ms a round trip.
    proxy.maxBytes = maxBytes;
    const sent = pattern(10 * MIB);
    let whole = false;
    b.onStream = (stream) =>
      onceCollected(stream, (bytes) => {
        whole = bytes.equals(sent);
        stream.write(Buffer.from('ok'), true);
      });
    const started = Date.now();
    const connection = await a.endpoint.dial({ addresses: [proxy.address], expect: b.credentials.self.nodeId });
    const stream = await connection.openBi();
    const answer = collect(stream);
    stream.write(Buffer.from(sent), true);
    t.is(String(await answer), 'ok');
    t.true(whole);
    t.log(
      `${((Date.now() - started) / 1_000).toFixed(1)} s, ${proxy.lost} of ${proxy.lost + proxy.passed} datagrams lost, largest ${proxy.largest} bytes, ${connection.stats().datagramBytes} at the end`,
    );
    t.true(proxy.lost / (proxy.lost + proxy.passed) > 0.25);
  });
}
