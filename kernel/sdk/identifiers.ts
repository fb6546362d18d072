/** An Ed25519 public key as 64 lower-case hex characters: who somebody is (ID-01). */
export type NodeId = string & { readonly __brand: 'NodeId' };

/** The Ed25519 public key of one installation, 64 lower-case hex characters (ID-02). */
export type DeviceId = string & { readonly __brand: 'DeviceId' };

/** One end of a connection: connections are keyed by both, social knowledge by `nodeId` alone. */
export interface PeerId {
  readonly nodeId: NodeId;
  readonly deviceId: DeviceId;
}

const HEX_32_BYTES = /^[0-9a-f]{64}$/;

/** True for 64 lower-case hex characters, the text form of every 32-byte id here. */
export function isHexId(text: string): boolean {
  return HEX_32_BYTES.test(text);
}

/** The map key of a peer: `nodeId/deviceId`. */
export function peerKey(peer: PeerId): string {
  return `${peer.nodeId}/${peer.deviceId}`;
}
