import { isHexId, NodeIdSchema, SignatureSchema, Type, verifySignature } from '../../kernel/index.ts';
import type { NodeId } from '../../kernel/index.ts';
import { FUTURE_MAX_MS } from './profile-record.ts';

/** Addresses a node tells of itself; a hostile one can make us dial no more than these. */
export const ADDRESSES_MAX = 8;
/** The node and its ten preferred peers (NPT-01). */
export const NPLUS10_MAX = 11;
/** Preferred peers and theirs: ten and ten each (NPT-08). */
export const PREFERRED_TREE_MAX = 110;
const DOMAIN = 'itsgoin/address/v1';

/** How a record travels. It is checked beyond this by {@link readAddressRecord}. */
export const AddressRecordBody = Type.Object({
  node_id: NodeIdSchema,
  addresses: Type.Array(Type.String({ minLength: 3, maxLength: 80 }), { maxItems: ADDRESSES_MAX }),
  nplus10: Type.Array(NodeIdSchema, { minItems: 1, maxItems: NPLUS10_MAX }),
  timestamp_ms: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
  signature: SignatureSchema,
});

/**
 * Where a node says it can be reached, and by which preferred peers. Signed by it, because others pass
 * it on: who relays a record can withhold it, but neither invent nor change one.
 */
export interface AddressRecord {
  readonly node_id: NodeId;
  /** `host:port` texts, best first, public ones only: a record leaves the LAN. */
  readonly addresses: readonly string[];
  readonly nplus10: readonly NodeId[];
  readonly timestamp_ms: number;
  /** 64 bytes in hex. */
  readonly signature: string;
}

type Unsigned = Omit<AddressRecord, 'signature'>;

export function signAddressRecord(
  record: Unsigned,
  sign: (domain: string, bytes: Uint8Array) => Uint8Array,
): AddressRecord {
  return { ...record, signature: Buffer.from(sign(DOMAIN, signedBytes(record))).toString('hex') };
}

/** The shape alone, for records that come where no schema has checked them. */
export function isAddressRecord(value: unknown): value is AddressRecord {
  if (typeof value !== 'object' || value === null) return false;
  const { node_id, addresses, nplus10, timestamp_ms, signature } = value as Record<string, unknown>;
  if (typeof node_id !== 'string' || typeof signature !== 'string' || !/^[0-9a-f]{128}$/.test(signature)) return false;
  if (!Number.isSafeInteger(timestamp_ms) || (timestamp_ms as number) < 0) return false;
  return isTexts(addresses, ADDRESSES_MAX, 80) && isTexts(nplus10, NPLUS10_MAX, 64);
}

function isTexts(value: unknown, countMax: number, charsMax: number): boolean {
  if (!Array.isArray(value) || value.length > countMax) return false;
  return value.every((text) => typeof text === 'string' && text.length <= charsMax);
}

/** Checks a record that came from outside: its N+10, time and signature. Gives one word when refused. */
export function readAddressRecord(
  value: unknown,
  nowMs: number,
): { readonly record: AddressRecord } | { readonly refused: 'malformed' | 'future' | 'forged' } {
  if (!isAddressRecord(value)) return { refused: 'malformed' };
  const record = value;
  if (!record.nplus10.every(isHexId) || record.nplus10[0] !== record.node_id) return { refused: 'malformed' };
  if (new Set(record.nplus10).size !== record.nplus10.length) return { refused: 'malformed' };
  if (record.timestamp_ms > nowMs + FUTURE_MAX_MS) return { refused: 'future' };
  const signature = Buffer.from(record.signature, 'hex');
  if (!verifySignature(record.node_id, DOMAIN, signedBytes(record), signature)) return { refused: 'forged' };
  return { record };
}

/** RFC 8785 JSON: the keys stand in their canonical order here, and hex and addresses are plain ASCII. */
function signedBytes({ addresses, node_id, nplus10, timestamp_ms }: Unsigned): Uint8Array {
  return Buffer.from(JSON.stringify({ addresses, node_id, nplus10, timestamp_ms }), 'utf8');
}
