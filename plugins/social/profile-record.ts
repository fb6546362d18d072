import { defineRecord, NodeIdSchema, safeLine, Type } from '../../kernel/index.ts';
import type { RecordRefusal, Static, Verified } from '../../kernel/index.ts';
import { parseConnectString } from '../peers/api.ts';

export const NAME_MAX_CHARS = 64;
export const BIO_MAX_CHARS = 1_000;
/** Anchors one profile names: a hostile author can make us dial no more than these. */
export const PROFILE_ANCHORS_MAX = 4;
export const PROFILE_ANCHOR_MAX_CHARS = 400;
/** Of the signed fields; those known take 6 KiB at most, the rest is for fields of later versions. */
const PROFILE_MAX_BYTES = 8 * 1024;
/** Control characters and direction overrides let a name rewrite the screen it is shown on. */
const UNFIT_FOR_NAME = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u;
const UNFIT_FOR_BIO = /[^\P{Cc}\n]|[\u202a-\u202e\u2066-\u2069]/u;

/** What an author says of itself (DB-04). */
export const profileRecords = defineRecord({
  domain: 'itsgoin/profile/v1',
  fields: {
    author: NodeIdSchema,
    name: Type.String(),
    bio: Type.String(),
    /**
     * Connect strings of anchors through which the author is to be looked for (ANCH-15). Absent for none:
     * an empty list would be a second form of the same profile, with a signature of its own.
     */
    anchors: Type.Optional(Type.Array(Type.String(), { minItems: 1, maxItems: PROFILE_ANCHORS_MAX })),
  },
  maxBytes: PROFILE_MAX_BYTES,
  author: ({ author }) => author,
});
export type ProfileRecord = Static<typeof profileRecords.body>;

/** Why these texts are no profile, or `undefined` when they are. */
export function problemWith({
  name,
  bio,
  anchors = [],
}: Pick<ProfileRecord, 'name' | 'bio' | 'anchors'>): string | undefined {
  if ([...name].length > NAME_MAX_CHARS) return `the name is longer than ${NAME_MAX_CHARS} characters`;
  if ([...bio].length > BIO_MAX_CHARS) return `the bio is longer than ${BIO_MAX_CHARS} characters`;
  if (!name.isWellFormed() || UNFIT_FOR_NAME.test(name)) return 'the name contains control characters';
  if (name !== '' && safeLine(name) === '') return 'the name has nothing that can be seen';
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

/** Checks a record that came from outside: form, texts, time and proof. */
export function verifyProfile(value: unknown, nowMs: number): Verified<ProfileRecord, RecordRefusal | 'unfit'> {
  return profileRecords.verify(value, {
    nowMs,
    skip: (claimed) => (problemWith(claimed) === undefined ? undefined : 'unfit'),
  });
}
