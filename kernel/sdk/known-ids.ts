import { listOf } from './answers.ts';
import { definePoint, type Point } from './point.ts';
import { hexSchema } from './kit/ids.ts';
import { type TString, Type } from './typebox.ts';

/** What an id names. A node and a post never share one, but both are 64 hex characters. */
export type IdKind = 'node' | 'post';

/** Ids that begin alike, of one kind, which a plugin knows. */
export interface IdSource {
  readonly kind: IdKind;
  /** At most `max` whose hex text begins with `prefix`, which has at least {@link ID_PREFIX_MIN} characters. */
  startingWith(prefix: string, max: number): Iterable<string>;
}

/** The fewest characters of an id that stand for it where a command takes one. */
export const ID_PREFIX_MIN = 8;
const ID_CHARS = 64;
/** As many are named to a person whose prefix fits several. */
export const ID_CANDIDATES_MAX = 5;

/**
 * Where plugins say which ids they know, so that a person may type the beginning of one wherever a command's
 * param is made by {@link idParam}. The kernel owns this point.
 */
export const KNOWN_IDS: Point<IdSource> = definePoint<IdSource>('kernel/known-ids', {
  limit: 32,
  answers: { startingWith: listOf<string>(hexSchema(32), ID_CANDIDATES_MAX) },
  check(candidate) {
    const { kind, startingWith } = (candidate ?? {}) as Partial<IdSource>;
    if (kind !== 'node' && kind !== 'post') return 'its kind is neither "node" nor "post"';
    return typeof startingWith === 'function' ? undefined : 'startingWith() is missing';
  },
});

/** Where the ids lie whose hex text begins with `prefix`: the lowest and the highest there can be. */
export function idsWith(prefix: string): { readonly from: string; readonly to: string } {
  return { from: prefix.padEnd(ID_CHARS, '0'), to: prefix.padEnd(ID_CHARS, 'f') };
}

const KINDS = 'ids';

/**
 * A param that names one thing by its id. Its handler gets the whole id where the beginning of a known one was
 * given, and else what was typed: it still has to read it, as by `readNodeId`.
 */
export function idParam(kinds: readonly IdKind[], description: string): TString {
  return Type.String({ maxLength: 2_048, description, [KINDS]: kinds });
}

/** Of which kinds the ids are that a param takes; none for any other param. */
export function idKindsOf(schema: Readonly<Record<string, unknown>>): readonly IdKind[] {
  return Array.isArray(schema[KINDS]) ? (schema[KINDS] as IdKind[]) : [];
}
