import {
  type Static,
  type TInteger,
  type TObject,
  type TProperties,
  Type,
  Compile,
  type Validator,
} from '../sdk/typebox.ts';
import type { NodeId } from '../sdk/identifiers.ts';
import { canonicalJson } from '../sdk/kit/canonical.ts';
import { type Claim, checkProof, checkProofAsync, type ProofRefusal, ProofSchema, prove } from './proof.ts';
import type { Proof, RecordSigner } from './proof.ts';

/** How far ahead of our clock a record may be: clocks differ, but one from far ahead would win over all later ones. */
export const RECORD_FUTURE_MAX_MS = 10 * 60_000;

/** Why a record is not taken. `malformed` is also what RFC 8785 has no form for, so that nobody can have signed it. */
export type RecordRefusal = 'malformed' | 'too-large' | 'future' | ProofRefusal;

/** Beside what a kind says for itself, every record says when, and carries its proof. */
type Stamp = { readonly timestamp_ms: number };
export type FieldsOf<P extends TProperties> = Static<TObject<P>> & Stamp;
export type RecordOf<P extends TProperties> = FieldsOf<P> & Proof;
type Body<P extends TProperties> = TObject<P & { timestamp_ms: TInteger } & (typeof ProofSchema)['properties']>;

export interface VerifyOptions<R, Skip extends string> {
  /** Of the wall clock. */
  readonly nowMs: number;
  /** Asked before anything costly: a reason not to go on. The form is right by then, and nothing is proved. */
  skip?(claimed: R): Skip | undefined;
}

export type Verified<R, Refusal extends string> = { readonly record: R } | { readonly refused: Refusal };

export interface RecordSpec<P extends TProperties> {
  /** `itsgoin/profile/v1`; no other kind may have it, so that no signature counts for another kind. */
  readonly domain: string;
  /** The signed fields this version knows; `timestamp_ms`, milliseconds since the epoch, comes of itself. */
  readonly fields: P;
  /** Canonical bytes of the signed fields at most, unknown ones included. */
  readonly maxBytes: number;
  /** Whose record it is: who must have signed it, or certified the device that did. */
  author(record: FieldsOf<P>): NodeId;
  /** Rules of its form beyond the schema. */
  isSound?(record: FieldsOf<P>): boolean;
}

/** One kind of signed record. */
export interface RecordKind<P extends TProperties> {
  /** How a record travels: the fields, and the proof beside them. */
  readonly body: Body<P>;
  /** @throws TypeError for what RFC 8785 has no form for: lone surrogates, numbers that are not finite, deep nesting. */
  sign(signer: RecordSigner, fields: FieldsOf<P>): RecordOf<P>;
  /** True for the right form; nothing is proved by it. */
  matches(value: unknown): value is RecordOf<P>;
  /**
   * Checks what came from outside: form, time, size, proof. Fields this version does not know are covered by
   * the proof and stay in the record, to be stored and passed on with it. Never throws.
   */
  verify<Skip extends string = never>(
    value: unknown,
    options: VerifyOptions<RecordOf<P>, Skip>,
  ): Verified<RecordOf<P>, RecordRefusal | Skip>;
  /** The same with the signature's check on the thread pool, for batches. */
  verifyAsync<Skip extends string = never>(
    value: unknown,
    options: VerifyOptions<RecordOf<P>, Skip>,
  ): Promise<Verified<RecordOf<P>, RecordRefusal | Skip>>;
}

/**
 * Declares a kind of record that its author signs and anybody may pass on. The signature covers the domain
 * and the RFC 8785 JSON of all fields but the proof's.
 */
export function defineRecord<P extends TProperties>(spec: RecordSpec<P>): RecordKind<P> {
  const properties = { ...spec.fields, timestamp_ms: TimestampSchema, ...ProofSchema.properties };
  const body: Body<P> = Type.Object(properties);
  let validator: Validator | undefined;

  const matches = (value: unknown): value is RecordOf<P> => {
    validator ??= Compile(body);
    return validator.Check(value) && spec.isSound?.(value as RecordOf<P>) !== false;
  };

  /** All but the proof. */
  const inspect = <Skip extends string>(
    value: unknown,
    { nowMs, skip }: VerifyOptions<RecordOf<P>, Skip>,
  ): { record: RecordOf<P>; claim: Claim } | { refused: RecordRefusal | Skip } => {
    if (!matches(value)) return { refused: 'malformed' };
    const skipped = skip?.(value);
    if (skipped !== undefined) return { refused: skipped };
    const { timestamp_ms: timestampMs } = value;
    if (isFuture(timestampMs, nowMs)) return { refused: 'future' };
    const bytes = canonicalBytes(value);
    if (bytes === undefined) return { refused: 'malformed' };
    if (bytes.length > spec.maxBytes) return { refused: 'too-large' };
    return { record: value, claim: { author: spec.author(value), domain: spec.domain, bytes, timestampMs } };
  };

  return {
    body,
    matches,
    sign(signer, fields) {
      return { ...fields, ...prove(signer, spec.domain, Buffer.from(canonicalJson(fields))) };
    },
    verify(value, options) {
      const inspected = inspect(value, options);
      if ('refused' in inspected) return inspected;
      const refused = checkProof(inspected.claim, inspected.record);
      return refused === undefined ? { record: inspected.record } : { refused };
    },
    async verifyAsync(value, options) {
      const inspected = inspect(value, options);
      if ('refused' in inspected) return inspected;
      const refused = await checkProofAsync(inspected.claim, inspected.record);
      return refused === undefined ? { record: inspected.record } : { refused };
    },
  };
}

const TimestampSchema = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });

/** Whether a timestamp is further ahead than clocks differ. */
export function isFuture(timestampMs: number, nowMs: number): boolean {
  return timestampMs - nowMs > RECORD_FUTURE_MAX_MS;
}

/** The signed fields of a record, unknown ones included. */
export function fieldsOf<R extends Proof>({
  signature: _,
  device_certificate: __,
  ...fields
}: R): Omit<R, keyof Proof> {
  return fields;
}

function canonicalBytes(record: Proof): Uint8Array | undefined {
  try {
    return Buffer.from(canonicalJson(fieldsOf(record)));
  } catch {
    return undefined;
  }
}
