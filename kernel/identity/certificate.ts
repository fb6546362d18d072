import { type KeyObject, sign } from 'node:crypto';
import { defineErrors } from '../sdk/errors.ts';
import { BoundedMap } from '../sdk/kit/bounded-map.ts';
import type { DeviceId, NodeId, PeerId } from '../sdk/identifiers.ts';
import { bitString, context, DerReader, integer, oid, sequence, set, time, utf8 } from './der.ts';
import { privateKeyOf, publicKeyOf, rawPublicKey } from './ed25519-keys.ts';
import { signatureHolds } from './signature.ts';

/** What proves (NodeId, DeviceId) to a peer: leaf (device key, signed by identity key), then root. */
export interface Credentials {
  readonly self: PeerId;
  readonly certificateChainPem: string;
  readonly deviceKeyPem: string;
}

export const certificateErrors = defineErrors('certificate', {
  'wrong-chain': { message: 'expected two certificates, got {count}' },
  'too-large': { message: 'a certificate of {bytes} bytes is over the limit of {limit}' },
  'wrong-shape': { message: 'the {role} certificate is not of the form this protocol uses' },
  'bad-signature': { message: 'the {role} certificate is not signed by the identity key' },
  'same-key': { message: 'device key and identity key are the same' },
  'not-yet-valid': { message: 'the {role} certificate is not valid yet', hint: 'Check the clocks of both machines.' },
  expired: { message: 'the {role} certificate has expired', hint: 'Check the clocks of both machines.' },
});

/** One of ours is about 270 bytes; anything near this is not one of ours. */
export const CERTIFICATE_MAX_BYTES = 1024;

/** What an X.509 certificate may say apart from its keys; both ends rebuild it and compare bytes. */
type Role = 'identity' | 'device';

interface Validity {
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/**
 * RFC 5280 §4.1.2.5: 99991231235959Z means "no well-defined expiration". Identity and device keys
 * have no natural end, and a node offline for years must still be able to return; a device is revoked
 * by its owner, not by a date.
 */
export const ENDLESS: Validity = { notBeforeMs: 0, notAfterMs: Date.UTC(9999, 11, 31, 23, 59, 59) };

/** A linked device is certified for 90 days (design section 5): one that is lost is shut out by then. */
export const DEVICE_CERTIFICATE_MAX_MS = 90 * 24 * 3_600_000;

/** Certificates of linked devices kept parsed and proved; the least used goes first. */
const DEVICES_MAX = 1_024;

const devices = new BoundedMap<string, DeviceCertificate>(DEVICES_MAX);

/** Chains of peers kept proved, as many as there may be connections; the least used goes first. */
const CHAINS_MAX = 1_024;

const chains = new BoundedMap<string, VerifiedChain>(CHAINS_MAX);

const ED25519 = sequence(oid(1, 3, 101, 112));
const COMMON_NAME = oid(2, 5, 4, 3);

/**
 * Makes the TLS identity of one installation: leaf (device key, signed by the identity key), then root
 * (identity key, self-signed). Both seeds are 32-byte Ed25519 seeds.
 */
export function makeCredentials(
  identitySeed: Uint8Array,
  deviceSeed: Uint8Array,
  validity: Validity = ENDLESS,
): Credentials {
  const identity = privateKeyOf(identitySeed);
  const device = privateKeyOf(deviceSeed);
  const root = certificate('identity', rawPublicKey(identity), validity, identity);
  const leaf = certifyDevice(identitySeed, rawPublicKey(device), validity);
  return {
    self: {
      nodeId: rawPublicKey(identity).toString('hex') as NodeId,
      deviceId: rawPublicKey(device).toString('hex') as DeviceId,
    },
    certificateChainPem: toPem(leaf) + toPem(root),
    deviceKeyPem: device.export({ type: 'pkcs8', format: 'pem' }) as string,
  };
}

/** The identity's certificate for a device key, DER: the leaf the device shows in TLS, and what its records carry. */
export function certifyDevice(identitySeed: Uint8Array, deviceKey: Uint8Array, validity: Validity): Uint8Array {
  return certificate('device', deviceKey, validity, privateKeyOf(identitySeed));
}

/** Who may sign in an identity's name, and for which time. */
export interface DeviceCertificate extends Validity {
  readonly deviceId: DeviceId;
}

/**
 * Reads a certificate by which `nodeId` lets a linked device sign its records; `undefined` for anything
 * else. One without an end, as the leaves of full devices are, says only whose connection it is.
 */
export function readDeviceCertificate(der: Uint8Array, nodeId: NodeId): DeviceCertificate | undefined {
  const name = `${nodeId}${Buffer.from(der).toString('latin1')}`;
  const known = devices.use(name);
  if (known !== undefined) return known;
  const identityKey = publicKeyOf(nodeId);
  const parsed = der.length > CERTIFICATE_MAX_BYTES ? undefined : parse('device', der);
  if (identityKey === undefined || parsed === undefined) return undefined;
  const { key, notBeforeMs, notAfterMs } = parsed;
  const deviceId = key.toString('hex') as DeviceId;
  if (notAfterMs - notBeforeMs > DEVICE_CERTIFICATE_MAX_MS || publicKeyOf(deviceId) === undefined) return undefined;
  if (key.equals(rawPublicKey(identityKey)) || !isSignedBy(parsed, identityKey)) return undefined;
  const certified = { deviceId, notBeforeMs, notAfterMs };
  devices.set(name, certified);
  return certified;
}

/** A chain whose signatures hold: what is left to ask at each use is the time. */
interface VerifiedChain {
  readonly peer: PeerId;
  readonly identity: Validity;
  readonly device: Validity;
}

/**
 * Accepts exactly the chain {@link makeCredentials} makes, DER, leaf first, and says whose it is. The
 * TLS handshake has proved possession of the leaf's key; this proves that the identity key vouches for it.
 * A chain that was proved before is known by its bytes, and only its time is checked again.
 *
 * @throws certificate/wrong-chain, too-large, wrong-shape, bad-signature, same-key, not-yet-valid, expired
 */
export function verifyChain(chain: readonly Uint8Array[], nowMs: number): PeerId {
  const [leaf, root] = chain;
  if (leaf === undefined || root === undefined || chain.length !== 2) {
    throw certificateErrors.make('wrong-chain', { count: chain.length });
  }
  for (const { length } of [root, leaf]) {
    if (length > CERTIFICATE_MAX_BYTES)
      throw certificateErrors.make('too-large', { bytes: length, limit: CERTIFICATE_MAX_BYTES });
  }
  const name = `${leaf.length} ${Buffer.concat([leaf, root]).toString('latin1')}`;
  const known = chains.use(name);
  if (known !== undefined) {
    checkTime('identity', known.identity, nowMs);
    checkTime('device', known.device, nowMs);
    return known.peer;
  }
  // Only the root is checked against its own key: the leaf's signature needs the root's key first.
  const identity = inForce('identity', root, nowMs);
  const identityKey = publicKeyOf(identity.key.toString('hex'));
  if (identityKey === undefined) throw certificateErrors.make('wrong-shape', { role: 'identity' });
  if (!isSignedBy(identity, identityKey)) throw certificateErrors.make('bad-signature', { role: 'identity' });
  const device = inForce('device', leaf, nowMs);
  if (!isSignedBy(device, identityKey)) throw certificateErrors.make('bad-signature', { role: 'device' });
  if (device.key.equals(identity.key)) throw certificateErrors.make('same-key');
  const peer: PeerId = {
    nodeId: identity.key.toString('hex') as NodeId,
    deviceId: device.key.toString('hex') as DeviceId,
  };
  chains.set(name, { peer, identity: validityOf(identity), device: validityOf(device) });
  return peer;
}

interface Parsed extends Validity {
  readonly key: Buffer;
  readonly signed: Uint8Array;
  readonly signature: Uint8Array;
}

function inForce(role: Role, der: Uint8Array, nowMs: number): Parsed {
  const parsed = parse(role, der);
  if (parsed === undefined) throw certificateErrors.make('wrong-shape', { role });
  checkTime(role, parsed, nowMs);
  return parsed;
}

function checkTime(role: Role, { notBeforeMs, notAfterMs }: Validity, nowMs: number): void {
  if (nowMs < notBeforeMs) throw certificateErrors.make('not-yet-valid', { role });
  if (nowMs > notAfterMs) throw certificateErrors.make('expired', { role });
}

/** Without the bytes it was read from, which need not be kept. */
function validityOf({ notBeforeMs, notAfterMs }: Validity): Validity {
  return { notBeforeMs, notAfterMs };
}

/** Takes only, byte for byte, what we would have written: no other algorithm, name, extension or encoding. */
function parse(role: Role, der: Uint8Array): Parsed | undefined {
  const fields = readFields(der);
  if (fields === undefined) return undefined;
  const signed = toBeSigned(role, fields.key, fields);
  return Buffer.from(der).equals(envelope(signed, fields.signature)) ? { ...fields, signed } : undefined;
}

function readFields(der: Uint8Array): (Validity & { key: Buffer; signature: Uint8Array }) | undefined {
  try {
    const outer = new DerReader(der).enter(0x30);
    const body = outer.enter(0x30);
    body.skip(4); // version, serial number, algorithm, issuer: compared as bytes afterwards
    const validity = body.enter(0x30);
    const notBeforeMs = validity.time();
    const notAfterMs = validity.time();
    body.skip(1);
    const key = body.enter(0x30);
    key.skip(1);
    const keyBits = key.take(0x03);
    outer.skip(1);
    const signature = outer.take(0x03);
    if (keyBits.length !== 33 || signature.length !== 65) return undefined;
    return { notBeforeMs, notAfterMs, key: Buffer.from(keyBits.subarray(1)), signature: signature.subarray(1) };
  } catch {
    return undefined;
  }
}

function isSignedBy({ signed, signature }: Parsed, signer: KeyObject): boolean {
  return signatureHolds(signer, signed, signature);
}

function certificate(role: Role, key: Uint8Array, validity: Validity, signer: KeyObject): Uint8Array {
  const signed = toBeSigned(role, key, validity);
  return envelope(signed, sign(null, signed, signer));
}

function envelope(signed: Uint8Array, signature: Uint8Array): Uint8Array {
  return sequence(signed, ED25519, bitString(signature));
}

function toBeSigned(role: Role, key: Uint8Array, validity: Validity): Uint8Array {
  return sequence(
    context(0, integer(2)),
    integer(role === 'identity' ? 1 : 2),
    ED25519,
    commonName('identity'),
    sequence(time(validity.notBeforeMs), time(validity.notAfterMs)),
    commonName(role),
    sequence(ED25519, bitString(key)),
  );
}

function commonName(role: Role): Uint8Array {
  return sequence(set(sequence(COMMON_NAME, utf8(`itsgoin ${role}`))));
}

function toPem(der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}
