import { Type } from 'typebox';

/** When a change counts: at once, or at the next start. */
type Applies = 'live' | 'restart';

const applies = (when: Applies, description: string) => ({ applies: when, description });

/** The kernel's own settings; see `NodeConfig`. */
export const NodeKeys = Type.Object({
  port: Type.Integer({
    default: 0,
    minimum: 0,
    maximum: 65_535,
    ...applies('restart', 'UDP port to listen on; 0 takes a free one and remembers it'),
  }),
  bind: Type.String({
    default: '',
    maxLength: 64,
    ...applies('restart', 'Address to bind; empty is every interface, IPv6 and IPv4'),
  }),
  advertise: Type.Array(Type.String({ minLength: 1, maxLength: 262 }), {
    default: [],
    maxItems: 16,
    ...applies('restart', 'Extra host:port texts to advertise, best first'),
  }),
  logLevel: Type.Union([Type.Literal('debug'), Type.Literal('info'), Type.Literal('warn'), Type.Literal('error')], {
    default: 'info',
    ...applies('live', 'Least level that is logged'),
  }),
  treatAsPublic: Type.Array(Type.String({ minLength: 1, maxLength: 64 }), {
    default: [],
    maxItems: 64,
    ...applies('restart', 'CIDR ranges counted as public though they are documentation or private ones'),
  }),
});

/** True when a change of `key` counts only at the next start. */
export function needsRestart(key: string): boolean {
  const schema = NodeKeys.properties[key as keyof typeof NodeKeys.properties] as { applies?: Applies } | undefined;
  return schema?.applies !== 'live';
}
