import { commandErrors } from './errors.ts';
import { ID_CANDIDATES_MAX, ID_PREFIX_MIN, type IdKind, type IdSource, idKindsOf } from '../sdk/known-ids.ts';
import type { Contribution } from '../sdk/point.ts';
import type { TSchema } from '../sdk/typebox.ts';

const ID_CHARS = 64;
/** A table cuts ids and says so with an ellipsis, which is copied along. */
const PREFIX = new RegExp(`^([0-9a-f]{${ID_PREFIX_MIN},${ID_CHARS - 1}})…?$`);

type Sources = readonly Contribution<IdSource>[];

/**
 * The params with the whole id where the beginning of one was given. What cannot be the beginning of an id is
 * left as it is.
 *
 * @throws command/unknown-id, command/ambiguous-id
 */
export function expandIds(schema: TSchema, params: unknown, sources: Sources): unknown {
  const properties = (schema as { properties?: Readonly<Record<string, Record<string, unknown>>> }).properties ?? {};
  const given = params as Readonly<Record<string, unknown>>;
  const expanded: Record<string, string> = {};
  for (const [name, property] of Object.entries(properties)) {
    const kinds = idKindsOf(property);
    const value = given[name];
    if (kinds.length === 0 || typeof value !== 'string') continue;
    const prefix = PREFIX.exec(value.trim().toLowerCase())?.[1];
    if (prefix !== undefined) expanded[name] = theOne(prefix, kinds, sources);
  }
  return Object.keys(expanded).length === 0 ? params : { ...given, ...expanded };
}

function theOne(prefix: string, kinds: readonly IdKind[], sources: Sources): string {
  const found = new Set<string>();
  for (const source of sources) {
    const ids = source.ask(
      (known) => (kinds.includes(known.kind) ? known.startingWith(prefix, ID_CANDIDATES_MAX) : []),
      [],
    );
    for (const id of ids) if (id.startsWith(prefix)) found.add(id);
  }
  const [first, second] = found;
  const kind = kinds.join(' or ');
  if (first === undefined) throw commandErrors.make('unknown-id', { kind, prefix });
  if (second === undefined) return first;
  const candidates = [...found].slice(0, ID_CANDIDATES_MAX).join(', ');
  throw commandErrors.make('ambiguous-id', { kind, prefix, candidates });
}
