import { type TString, type TUnsafe, Type } from '../typebox.ts';
import type { DeviceId, NodeId } from '../identifiers.ts';
import { isHexId } from '../identifiers.ts';
import { kitErrors } from './errors.ts';

/** A schema of `count` bytes as lower-case hex characters. */
export function hexSchema(count: number): TString {
  return Type.String({ pattern: `^[0-9a-f]{${count * 2}}$` });
}

/** A schema of a 32-byte id in hex whose values have the branded type `Id`. */
export function idSchema<Id extends string>(): TUnsafe<Id> {
  return Type.Unsafe<Id>(hexSchema(32));
}

export const NodeIdSchema = idSchema<NodeId>();
export const DeviceIdSchema = idSchema<DeviceId>();
/** An Ed25519 signature: 64 bytes in hex. */
export const SignatureSchema = hexSchema(64);

/** The bytes of an id or a signature, as the database keeps them; `hex` must be well-formed. */
export function hexToBytes(hex: string): Uint8Array {
  return Buffer.from(hex, 'hex');
}

/** The text form of any bytes: lower-case hex. */
export function bytesToHex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}

export function nodeIdFromBytes(bytes: Uint8Array): NodeId {
  return bytesToHex(bytes) as NodeId;
}

/** An id as a person typed or pasted it, in its one spelling; `undefined` when it is none. */
export function parseHexId(text: string): string | undefined {
  const id = text.trim().toLowerCase();
  return isHexId(id) ? id : undefined;
}

/** A node id as a person typed or pasted it. @throws kit/bad-node-id */
export function readNodeId(text: string): NodeId {
  const id = parseHexId(text);
  if (id === undefined) throw kitErrors.make('bad-node-id', { text: text.slice(0, 80) });
  return id as NodeId;
}
