import { isHexId, verifySignature } from '../../kernel/index.ts';
import type { NodeId } from '../../kernel/index.ts';
import { parseConnectString } from '../mesh/api.ts';

export const NAME_MAX_CHARS = 64;
export const BIO_MAX_CHARS = 1_000;
/** Anchors one profile names: a hostile author can make us dial no more than these. */
export const PROFILE_ANCHORS_MAX = 4;
export const PROFILE_ANCHOR_MAX_CHARS = 400;
/** Clocks differ; a record from further ahead would win over all later ones. */
export const FUTURE_MAX_MS = 10 * 60_000;
const DOMAIN = 'itsgoin/profile/v1';
const SIGNATURE = /^[0-9a-f]{128}$/;
/** Control characters and direction overrides let a name rewrite the screen it is shown on. */
const UNFIT_FOR_NAME = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u;
const UNFIT_FOR_BIO = /[^\P{Cc}\n]|[\u202a-\u202e\u2066-\u2069]/u;

/** A profile as it travels and is stored (DB-04): signed by its author. */
export interface ProfileRecord {
  readonly author: NodeId;
  readonly name: string;
  readonly bio: string;
  /** Connect strings of anchors through which the author is to be looked for (ANCH-15); absent for none. */
  readonly anchors?: readonly string[];
  readonly timestamp_ms: number;
  /** 64 bytes in hex. */
  readonly signature: string;
}

type Unsigned = Omit<ProfileRecord, 'signature'>;

/** Why these texts are no profile, or `undefined` when they are. */
export function problemWith({
  name,
  bio,
  anchors = [],
}: Pick<ProfileRecord, 'name' | 'bio' | 'anchors'>): string | undefined {
  if ([...name].length > NAME_MAX_CHARS) return `the name is longer than ${NAME_MAX_CHARS} characters`;
  if ([...bio].length > BIO_MAX_CHARS) return `the bio is longer than ${BIO_MAX_CHARS} characters`;
  if (!name.isWellFormed() || UNFIT_FOR_NAME.test(name)) return 'the name contains control characters';
  if (!bio.isWellFormed() || UNFIT_FOR_BIO.test(bio)) return 'the bio contains control characters';
  if (anchors.length > PROFILE_ANCHORS_MAX) return `it names more than ${PROFILE_ANCHORS_MAX} anchors`;
  return anchors.map(problemWithAnchor).find((problem) => problem !== undefined);
}

function problemWithAnchor(text: string): string | undefined {
  if (text.length > PROFILE_ANCHOR_MAX_CHARS) return 'an anchor is longer than a connect string is';
  try {
    parseConnectString(text);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : 'an anchor is no connect string';
  }
}

export function signProfile(profile: Unsigned, sign: (domain: string, bytes: Uint8Array) => Uint8Array): ProfileRecord {
  return { ...profile, signature: Buffer.from(sign(DOMAIN, signedBytes(profile))).toString('hex') };
}

/**
 * Reads a record that came from outside and checks all of it: shape, texts, time and signature.
 * Gives the reason in one word when it is refused.
 */
export function readProfile(
  value: unknown,
  nowMs: number,
): { readonly record: ProfileRecord } | { readonly refused: 'malformed' | 'unfit' | 'future' | 'forged' } {
  const record = shapeOf(value);
  if (record === undefined) return { refused: 'malformed' };
  if (problemWith(record) !== undefined) return { refused: 'unfit' };
  if (record.timestamp_ms > nowMs + FUTURE_MAX_MS) return { refused: 'future' };
  const signature = Buffer.from(record.signature, 'hex');
  if (!verifySignature(record.author, DOMAIN, signedBytes(record), signature)) return { refused: 'forged' };
  return { record };
}

/** RFC 8785 JSON: the keys stand in their canonical order here, and the texts are well-formed. */
function signedBytes({ anchors, author, bio, name, timestamp_ms }: Unsigned): Uint8Array {
  return Buffer.from(JSON.stringify({ ...(anchors && { anchors }), author, bio, name, timestamp_ms }), 'utf8');
}

function shapeOf(value: unknown): ProfileRecord | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { author, name, bio, anchors, timestamp_ms, signature } = value as Record<string, unknown>;
  if (typeof author !== 'string' || !isHexId(author)) return undefined;
  if (typeof name !== 'string' || typeof bio !== 'string') return undefined;
  if (!Number.isSafeInteger(timestamp_ms) || (timestamp_ms as number) < 0) return undefined;
  if (typeof signature !== 'string' || !SIGNATURE.test(signature)) return undefined;
  const record = { author: author as NodeId, name, bio, timestamp_ms: timestamp_ms as number, signature };
  if (anchors === undefined) return record;
  // An empty list would be a second form of the same profile, with a signature of its own.
  if (!Array.isArray(anchors) || anchors.length === 0 || anchors.length > PROFILE_ANCHORS_MAX) return undefined;
  return anchors.every((text) => typeof text === 'string') ? { ...record, anchors } : undefined;
}

/** Schemas infer mutable arrays. */
export function toProfileBody({
  anchors,
  ...record
}: ProfileRecord): Omit<ProfileRecord, 'anchors'> & { anchors?: string[] } {
  return anchors === undefined ? record : { ...record, anchors: [...anchors] };
}
