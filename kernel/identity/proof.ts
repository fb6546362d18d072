import { type Static, Type, Compile, type Validator } from '../sdk/typebox.ts';
import { CERTIFICATE_MAX_BYTES, readDeviceCertificate } from './certificate.ts';
import { verifySignature, verifySignatureAsync } from './signature.ts';
import type { DeviceId, NodeId } from '../sdk/identifiers.ts';
import type { Signer } from '../sdk/signer.ts';
import { bytesToHex, hexToBytes, SignatureSchema } from '../sdk/kit/ids.ts';

/**
 * What proves a record, beside the fields it covers: a signature of the author's identity key, or one of
 * a device key together with the identity's certificate for that device.
 */
export const ProofSchema = Type.Object({
  signature: SignatureSchema,
  /** The X.509 leaf certificate the device shows in TLS, DER in base64. Absent when the identity key signed. */
  device_certificate: Type.Optional(
    Type.String({ pattern: '^[A-Za-z0-9+/]+={0,2}$', maxLength: Math.ceil(CERTIFICATE_MAX_BYTES / 3) * 4 }),
  ),
});
export type Proof = Static<typeof ProofSchema>;

let validator: Validator | undefined;

/** True for something that carries a {@link Proof}'s fields in their form; nothing is proved by it. */
export function carriesProof(value: unknown): boolean {
  validator ??= Compile(ProofSchema);
  return validator.Check(value);
}

/** `bad-certificate`: none of the author's, or one that is valid for too long. `expired-certificate`: for another time. */
export type ProofRefusal = 'forged' | 'bad-certificate' | 'expired-certificate';

/** What a proof has to cover. */
export interface Claim {
  readonly author: NodeId;
  readonly domain: string;
  readonly bytes: Uint8Array;
  /** When the author says it was: a device may sign for the time its certificate is valid in. */
  readonly timestampMs: number;
}

/** Who signs: the identity key, or the key of a linked device with its certificate. */
export type RecordSigner = Pick<Signer, 'sign' | 'deviceCertificate'>;

export function prove(signer: RecordSigner, domain: string, bytes: Uint8Array): Proof {
  const signature = bytesToHex(signer.sign(domain, bytes));
  const { deviceCertificate } = signer;
  return deviceCertificate === undefined ? { signature } : { signature, device_certificate: deviceCertificate };
}

/** Checks a proof of the right form; `undefined` when it holds. */
export function checkProof(claim: Claim, proof: Proof): ProofRefusal | undefined {
  const key = signingKey(claim, proof);
  if ('refused' in key) return key.refused;
  return verifySignature(key.id, claim.domain, claim.bytes, hexToBytes(proof.signature)) ? undefined : 'forged';
}

/** The same with the signature's check on the thread pool, for batches. */
export async function checkProofAsync(claim: Claim, proof: Proof): Promise<ProofRefusal | undefined> {
  const key = signingKey(claim, proof);
  if ('refused' in key) return key.refused;
  const holds = await verifySignatureAsync(key.id, claim.domain, claim.bytes, hexToBytes(proof.signature));
  return holds ? undefined : 'forged';
}

function signingKey(
  { author, timestampMs }: Claim,
  { device_certificate }: Proof,
): { readonly id: NodeId | DeviceId } | { readonly refused: ProofRefusal } {
  if (device_certificate === undefined) return { id: author };
  const der = Buffer.from(device_certificate, 'base64');
  // One certificate has one spelling, so that a record is the same bytes wherever it is stored.
  if (der.toString('base64') !== device_certificate) return { refused: 'bad-certificate' };
  const certificate = readDeviceCertificate(der, author);
  if (certificate === undefined) return { refused: 'bad-certificate' };
  if (timestampMs < certificate.notBeforeMs || timestampMs > certificate.notAfterMs)
    return { refused: 'expired-certificate' };
  return { id: certificate.deviceId };
}
