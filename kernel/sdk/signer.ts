import type { PeerId } from './identifiers.ts';
import { defineResource } from './token.ts';

/** The node's identity key, for signing; the key itself stays in the kernel. */
export interface Signer {
  readonly self: PeerId;
  /**
   * The 64-byte Ed25519 signature by `self.nodeId`, or in its name, over the domain's ASCII bytes followed by `bytes`.
   * A domain is like `itsgoin/post/v1`; each record kind has its own, so that no signature counts
   * for another kind.
   *
   * @throws identity/bad-domain
   */
  sign(domain: string, bytes: Uint8Array): Uint8Array;
  /**
   * On a linked device, which has no identity key: signatures are by `self.deviceId`, and this, the identity's
   * certificate for it as base64 of its DER, goes with each. Absent where the identity key signs.
   */
  readonly deviceCertificate?: string;
}

export const SIGNER = defineResource<Signer>('signer');
