import test from 'ava';
import { certifyDevice, DEVICE_CERTIFICATE_MAX_MS } from '../../kernel/identity/certificate.ts';
import { identityOf, privateKeyOf, rawPublicKey, signMessage } from '../../kernel/identity/index.ts';
import { defineRecord, hexToBytes, NodeIdSchema, Type } from '../../kernel/index.ts';
import type { RecordSigner } from '../../kernel/index.ts';
import { composePost } from '../../plugins/content/publish.ts';
import { verifyPost } from '../../plugins/content/verify-post.ts';

const seed = (fill: number): Uint8Array => new Uint8Array(32).fill(fill);
const anna = identityOf(seed(1), seed(2));
const mallory = identityOf(seed(3), seed(4));
const DAY_MS = 24 * 3_600_000;
const SINCE = Date.UTC(2026, 5, 1);
const UNTIL = SINCE + 90 * DAY_MS;
/** Within the certificate's time. */
const NOW = SINCE + 10 * DAY_MS;

const notes = defineRecord({
  domain: 'itsgoin/test-note/v1',
  fields: { author: NodeIdSchema, text: Type.String() },
  maxBytes: 400,
  author: ({ author }) => author,
});

/** The identity's certificate for a device, as the device keeps and shows it. */
function certificate(
  identitySeed = anna.identitySeed,
  deviceKey = hexToBytes(anna.deviceId),
  notBeforeMs = SINCE,
  notAfterMs = UNTIL,
): string {
  return Buffer.from(certifyDevice(identitySeed, deviceKey, { notBeforeMs, notAfterMs })).toString('base64');
}

/** A linked device: it has its own key and a certificate, and not the identity's key. */
function device(deviceCertificate: string | undefined, deviceSeed = anna.deviceSeed): RecordSigner {
  const sign = (domain: string, bytes: Uint8Array) => signMessage(privateKeyOf(deviceSeed), domain, bytes);
  return deviceCertificate === undefined ? { sign } : { sign, deviceCertificate };
}

const note = (signer: RecordSigner, timestamp_ms = NOW) =>
  notes.sign(signer, { author: anna.nodeId, text: 'from my phone', timestamp_ms });
const verify = (value: unknown, nowMs = NOW) => notes.verify(value, { nowMs });

test('a device signs in its identity’s name with the certificate of it', async (t) => {
  const record = note(device(certificate()));
  t.deepEqual(verify(JSON.parse(JSON.stringify(record))), { record });
  t.deepEqual(await notes.verifyAsync(record, { nowMs: NOW }), { record });
  t.deepEqual(verify({ ...record, text: 'altered' }), { refused: 'forged' });
});

test('without its certificate it signed for nobody', (t) => {
  const { device_certificate: _, ...record } = note(device(certificate()));
  t.deepEqual(verify(record), { refused: 'forged' });
  t.deepEqual(verify(note(device(undefined))), { refused: 'forged' });
});

test('a certificate counts for records of its own time, now and in ten years', (t) => {
  const signer = device(certificate());
  const later = UNTIL + 3_650 * DAY_MS;
  for (const timestamp of [SINCE, NOW, UNTIL]) t.true('record' in verify(note(signer, timestamp), later));
  for (const timestamp of [SINCE - 1, UNTIL + 1])
    t.deepEqual(verify(note(signer, timestamp), later), { refused: 'expired-certificate' });
});

test('a certificate of somebody else, or for somebody else, counts for nothing', (t) => {
  const others = certificate(mallory.identitySeed);
  t.deepEqual(verify(note(device(others))), { refused: 'bad-certificate' }, 'another identity certified the device');
  const another = certificate(anna.identitySeed, hexToBytes(mallory.deviceId));
  t.deepEqual(verify(note(device(another))), { refused: 'forged' }, 'it certifies another device');
  const stolen = note(device(certificate()));
  t.deepEqual(verify({ ...stolen, author: mallory.nodeId }), { refused: 'bad-certificate' });
  t.true('record' in verify(stolen), 'and the answer for the one is not kept for the other');
});

test('a certificate without an end, as TLS leaves of full devices are, lets nobody sign records', (t) => {
  t.is(DEVICE_CERTIFICATE_MAX_MS, 90 * DAY_MS);
  const endless = certificate(anna.identitySeed, hexToBytes(anna.deviceId), 0, Date.UTC(9999, 11, 31, 23, 59, 59));
  t.deepEqual(verify(note(device(endless))), { refused: 'bad-certificate' });
  const days91 = certificate(anna.identitySeed, hexToBytes(anna.deviceId), SINCE, UNTIL + 1_000);
  t.deepEqual(verify(note(device(days91))), { refused: 'bad-certificate' });
});

test('a certificate has one spelling, and any other bytes are none', (t) => {
  const good = certificate();
  const record = note(device(good));
  const der = Buffer.from(good, 'base64');
  t.not(der.length % 3, 0, 'its base64 has bits to spare');
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
  const at = good.indexOf('=') - 1;
  const spare = good.slice(0, at) + alphabet[alphabet.indexOf(good.charAt(at)) + 1] + good.slice(at + 1);
  t.deepEqual(Buffer.from(spare, 'base64'), der);
  const values = [spare, good.replace(/=+$/, ''), `${good.replace(/=+$/, '')}====`];
  for (let at = 0; at < der.length; at += 7) {
    const altered = Buffer.from(der);
    altered.writeUInt8(altered.readUInt8(at) ^ 1, at);
    values.push(altered.toString('base64'));
  }
  values.push(der.subarray(1).toString('base64'), Buffer.concat([der, Buffer.of(0)]).toString('base64'));
  for (const device_certificate of values) {
    const read = verify({ ...record, device_certificate });
    t.true('refused' in read && ['bad-certificate', 'malformed'].includes(read.refused), device_certificate);
  }
});

test('the identity’s own key is no device, and a key of small order is none', (t) => {
  const itself = certificate(anna.identitySeed, rawPublicKey(privateKeyOf(anna.identitySeed)));
  t.deepEqual(verify(note(device(itself, anna.identitySeed))), { refused: 'bad-certificate' });
  const nobody = certificate(anna.identitySeed, Buffer.from('01'.padEnd(64, '0'), 'hex'));
  const forged = note(device(nobody));
  t.deepEqual(verify({ ...forged, signature: `01${'0'.repeat(126)}` }), { refused: 'bad-certificate' });
});

test('a post of a linked device is a post of its author', async (t) => {
  const signer = { ...device(certificate()), self: anna.self };
  const post = composePost(signer, 'from my phone', NOW, [anna.nodeId]);
  t.deepEqual(await verifyPost(JSON.parse(JSON.stringify(post)), { nowMs: NOW }), { post });
  const { device_certificate: _, ...bare } = post;
  t.deepEqual(await verifyPost(bare, { nowMs: NOW }), { refused: 'forged' });
  const late = composePost(signer, 'too late', UNTIL + 1_000, [anna.nodeId]);
  t.deepEqual(await verifyPost(late, { nowMs: UNTIL + 1_000 }), { refused: 'expired-certificate' });
});
