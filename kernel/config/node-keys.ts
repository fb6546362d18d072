import { Type } from '../sdk/typebox.ts';
import { CONNECTIONS_KEPT, CONNECTIONS_PER_BLOCK, SHARES_EXCEPT } from '../sdk/kit/block-shares.ts';

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
  connectionsPerAddress: Type.Integer({
    default: CONNECTIONS_PER_BLOCK,
    minimum: 1,
    maximum: 1_024,
    ...applies(
      'restart',
      'Connections that strangers of one IPv4 address or IPv6 /64 may dial to this node (a /48: four times); each takes up to 33 MiB while it is used',
    ),
  }),
  connectionsKept: Type.Integer({
    default: CONNECTIONS_KEPT,
    minimum: 0,
    maximum: 256,
    ...applies(
      'restart',
      'Of 1,024 connections, those kept for own dials, contacts and anchors; strangers have the rest',
    ),
  }),
  sharesExcept: Type.Array(Type.String({ minLength: 1, maxLength: 64 }), {
    default: SHARES_EXCEPT,
    maxItems: 64,
    ...applies('restart', 'CIDR ranges whose addresses have no share: one host there may take all this node has'),
  }),
});

/** True when a change of `key` counts only at the next start. */
export function needsRestart(key: string): boolean {
  const schema = NodeKeys.properties[key as keyof typeof NodeKeys.properties] as { applies?: Applies } | undefined;
  return schema?.applies !== 'live';
}
