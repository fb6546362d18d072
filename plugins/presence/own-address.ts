import type { NodeId, RecordSigner } from '../../kernel/index.ts';
import { ADDRESSES_MAX, addressRecords, NPLUS10_MAX } from './address-record.ts';
import type { AddressRecord } from './address-record.ts';

interface OwnAddressDeps {
  readonly self: NodeId;
  nowMs(): number;
  readonly signer: RecordSigner;
  /** Where this node can be dialled from anywhere, best first. */
  addresses(): readonly string[];
  /** The preferred peers of this node. */
  preferred(): readonly NodeId[];
}

/** The user's own address record, signed anew when what it says has changed. */
export class OwnAddress {
  readonly #deps: OwnAddressDeps;
  #record: AddressRecord | undefined;

  constructor(deps: OwnAddressDeps) {
    this.#deps = deps;
  }

  /** The record that was true when it was last asked for; for a next generation. */
  get last(): AddressRecord | undefined {
    return this.#record;
  }

  restore(record: AddressRecord): void {
    this.#record = record;
  }

  current(): AddressRecord {
    const { self, nowMs, signer } = this.#deps;
    const addresses = this.#deps.addresses().slice(0, ADDRESSES_MAX);
    const nplus10 = [...new Set([self, ...this.#deps.preferred()])].slice(0, NPLUS10_MAX);
    const known = this.#record;
    if (known !== undefined && same(known.addresses, addresses) && same(known.nplus10, nplus10)) return known;
    const timestamp_ms = Math.max(nowMs(), (known?.timestamp_ms ?? 0) + 1);
    this.#record = addressRecords.sign(signer, { node_id: self, addresses, nplus10, timestamp_ms });
    return this.#record;
  }
}

function same(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((text, at) => text === other[at]);
}
