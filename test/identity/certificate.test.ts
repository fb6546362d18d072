import { readFileSync } from 'node:fs';
import { X509Certificate } from 'node:crypto';
import test from 'ava';
import { CERTIFICATE_MAX_BYTES, ENDLESS, makeCredentials, verifyChain } from '../../kernel/identity/certificate.ts';
import type { ItsgoinError } from '../../kernel/sdk/errors.ts';

const NOW = Date.UTC(2026, 5, 1);
const IDENTITY = Buffer.alloc(32, 1);
const DEVICE = Buffer.alloc(32, 2);
const OTHER = Buffer.alloc(32, 3);

function chainOf(pem: string): Buffer[] {
  return (pem.match(/-----BEGIN[^-]+-----[^-]+-----END[^-]+-----/g) ?? []).map((text) =>
    Buffer.from(text.replace(/-----[^-]+-----|\s/g, ''), 'base64'),
  );
}

function code(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    return (error as ItsgoinError).code;
  }
  return 'accepted';
}

const credentials = makeCredentials(IDENTITY, DEVICE);
const [leaf, root] = chainOf(credentials.certificateChainPem) as [Buffer, Buffer];

test('the chain says whose it is', (t) => {
  t.deepEqual(verifyChain([leaf, root], NOW), credentials.self);
  t.regex(credentials.self.nodeId, /^[0-9a-f]{64}$/);
  t.not(credentials.self.nodeId, credentials.self.deviceId);
});

test('the same seeds give the same certificates', (t) => {
  t.deepEqual(makeCredentials(IDENTITY, DEVICE), credentials);
});

test('another implementation of X.509 reads them', (t) => {
  const device = new X509Certificate(leaf);
  const identity = new X509Certificate(root);
  t.true(identity.verify(identity.publicKey));
  t.true(device.verify(identity.publicKey));
  t.is(identity.subject, 'CN=itsgoin identity');
  t.is(device.subject, 'CN=itsgoin device');
  t.is(device.issuer, identity.subject);
  t.is(new Date(device.validFrom).getTime(), ENDLESS.notBeforeMs);
  t.is(new Date(device.validTo).getTime(), ENDLESS.notAfterMs);
});

test('only two certificates, leaf first, are a chain', (t) => {
  for (const chain of [[], [leaf], [root], [leaf, root, root], [leaf, leaf, root]]) {
    t.is(
      code(() => verifyChain(chain, NOW)),
      'certificate/wrong-chain',
    );
  }
  t.is(
    code(() => verifyChain([root, leaf], NOW)),
    'certificate/wrong-shape',
  );
  t.is(
    code(() => verifyChain([root, root], NOW)),
    'certificate/wrong-shape',
  );
  t.is(
    code(() => verifyChain([leaf, leaf], NOW)),
    'certificate/wrong-shape',
  );
});

test('a leaf that another identity signed does not pass under this one', (t) => {
  const [foreignLeaf, foreignRoot] = chainOf(makeCredentials(OTHER, DEVICE).certificateChainPem) as [Buffer, Buffer];
  t.is(
    code(() => verifyChain([foreignLeaf, root], NOW)),
    'certificate/bad-signature',
  );
  t.is(
    code(() => verifyChain([leaf, foreignRoot], NOW)),
    'certificate/bad-signature',
  );
});

test('the identity key cannot be its own device', (t) => {
  const chain = chainOf(makeCredentials(IDENTITY, IDENTITY).certificateChainPem);
  t.is(
    code(() => verifyChain(chain, NOW)),
    'certificate/same-key',
  );
});

test('certificates hold within their time only', (t) => {
  const validity = { notBeforeMs: NOW, notAfterMs: Date.UTC(2055, 0, 1) };
  const chain = chainOf(makeCredentials(IDENTITY, DEVICE, validity).certificateChainPem);
  t.is(
    code(() => verifyChain(chain, NOW - 1_000)),
    'certificate/not-yet-valid',
  );
  t.is(
    code(() => verifyChain(chain, NOW)),
    'accepted',
  );
  t.is(
    code(() => verifyChain(chain, validity.notAfterMs)),
    'accepted',
  );
  t.is(
    code(() => verifyChain(chain, validity.notAfterMs + 1_000)),
    'certificate/expired',
  );
});

test('a chain that was proved before is held against the time again, and is known by all its bytes', (t) => {
  const validity = { notBeforeMs: NOW, notAfterMs: NOW + 1_000 };
  const chain = chainOf(makeCredentials(OTHER, DEVICE, validity).certificateChainPem) as [Buffer, Buffer];
  for (const [atMs, outcome] of [
    [NOW, 'accepted'],
    [NOW + 1_000, 'accepted'],
    [NOW + 2_000, 'certificate/expired'],
    [NOW - 1_000, 'certificate/not-yet-valid'],
    [NOW, 'accepted'],
  ] as const) {
    t.is(
      code(() => verifyChain(chain, atMs)),
      outcome,
    );
  }
  const whole = Buffer.concat(chain);
  const border = chain[0].length - 1;
  t.is(
    code(() => verifyChain([whole.subarray(0, border), whole.subarray(border)], NOW)),
    'certificate/wrong-shape',
  );
});

test('one is refused for its size before it is read', (t) => {
  t.is(
    code(() => verifyChain([Buffer.alloc(CERTIFICATE_MAX_BYTES + 1, 0x30), root], NOW)),
    'certificate/too-large',
  );
  t.is(
    code(() => verifyChain([leaf, Buffer.alloc(CERTIFICATE_MAX_BYTES + 1, 0x30)], NOW)),
    'certificate/too-large',
  );
});

test('bytes after the end, missing bytes and noise are refused', (t) => {
  t.is(
    code(() => verifyChain([Buffer.concat([leaf, Buffer.alloc(1)]), root], NOW)),
    'certificate/wrong-shape',
  );
  for (let length = 0; length < leaf.length; length++) {
    t.is(
      code(() => verifyChain([leaf.subarray(0, length), root], NOW)),
      'certificate/wrong-shape',
      `${length} bytes`,
    );
  }
  for (let seed = 0; seed < 500; seed++) {
    const noise = Buffer.from(Array.from({ length: 300 }, (_, at) => (at * 7 + seed * 31 + at * seed) & 0xff));
    t.regex(
      code(() => verifyChain([leaf, noise], NOW)),
      /^certificate\//,
    );
  }
});

test('no single bit of either certificate can be changed', (t) => {
  for (const which of [0, 1]) {
    const original = which === 0 ? leaf : root;
    for (let bit = 0; bit < original.length * 8; bit++) {
      const changed = Buffer.from(original);
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const result = code(() => verifyChain(which === 0 ? [changed, root] : [leaf, changed], NOW));
      if (!result.startsWith('certificate/')) t.fail(`bit ${bit} of ${which === 0 ? 'leaf' : 'root'}: ${result}`);
    }
  }
  t.pass();
});

test('the chain is to the byte the one that nodes have shown from the first version on', (t) => {
  const { certificateChainPem } = makeCredentials(new Uint8Array(32).fill(1), new Uint8Array(32).fill(2));
  t.is(certificateChainPem, readFileSync('test/fixtures/first-chain.pem', 'utf8'));
});
