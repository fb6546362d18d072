import { isHexId, parseHexId } from '../../kernel/index.ts';
import type { NodeId, PeerId } from '../../kernel/index.ts';
import { peersErrors } from './errors.ts';

/** What a connect string says: whom to reach and where (ID-12). */
export interface ConnectTarget {
  readonly nodeId: NodeId;
  /** `host:port` texts in order of preference. */
  readonly addresses: readonly string[];
}

/** More than any node has; a longer list is a mistake or an attack. */
export const ADDRESSES_MAX = 16;
const CONNECT_STRING_MAX_CHARS = 2_048;
const HOST_NAME = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/i;
const IPV6 = /^[0-9a-f:.]{2,45}(%[a-z0-9]{1,15})?$/i;

/**
 * Reads `<nodeid hex>@<host:port>[,<host:port>]`. The id may be in capitals. White space is
 * ignored wherever it is: a string copied from a narrow terminal has line breaks in it.
 *
 * @throws mesh/bad-connect-string with the reason in words.
 */
export function parseConnectString(text: string): ConnectTarget {
  const refuse = (reason: string) => peersErrors.make('bad-connect-string', { reason });
  const trimmed = text.replace(/\s+/gu, '');
  if (trimmed === '') throw refuse('it is empty');
  if (trimmed.length > CONNECT_STRING_MAX_CHARS)
    throw refuse(`it is longer than ${CONNECT_STRING_MAX_CHARS} characters`);
  const at = trimmed.indexOf('@');
  if (at < 0) throw refuse('there is no @ between the node id and its address');
  const nodeId = trimmed.slice(0, at).toLowerCase();
  if (!isHexId(nodeId)) throw refuse('the part before @ is not a node id of 64 hex characters');
  const addresses = trimmed
    .slice(at + 1)
    .split(',')
    .map((part) => part.trim());
  if (addresses.length > ADDRESSES_MAX) throw refuse(`it has more than ${ADDRESSES_MAX} addresses`);
  for (const address of addresses) {
    if (address === '') throw refuse('an address is missing after @ or a comma');
    if (!isHostPort(address)) throw refuse(`"${address.slice(0, 60)}" is not host:port with a port of 1 to 65535`);
  }
  return { nodeId: nodeId as NodeId, addresses: [...new Set(addresses)] };
}

/** The inverse of {@link parseConnectString}. */
export function formatConnectString(nodeId: NodeId, addresses: readonly string[]): string {
  return `${nodeId}@${addresses.join(',')}`;
}

/** True for `192.0.2.1:4433`, `[2001:db8::1]:4433` and `name.example:4433`. */
export function isHostPort(text: string): boolean {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+)):([0-9]{1,5})$/.exec(text);
  if (match === null) return false;
  const [, bracketed, plain, port] = match;
  if (Number(port) < 1 || Number(port) > 65_535) return false;
  if (bracketed !== undefined) return bracketed.includes(':') && IPV6.test(bracketed);
  if (plain === undefined) return false;
  return /^[0-9.]+$/.test(plain) ? isIPv4(plain) : HOST_NAME.test(plain);
}

function isIPv4(text: string): boolean {
  const parts = text.split('.');
  return parts.length === 4 && parts.every((part) => /^[0-9]{1,3}$/.test(part) && Number(part) <= 255);
}

/**
 * The same for somebody else's node, which may be named by its id alone: no addresses then.
 *
 * @throws mesh/bad-connect-string, mesh/own-node
 */
export function readOthersTarget(target: string, self: PeerId): ConnectTarget {
  const id = parseHexId(target);
  const parsed = id === undefined ? parseConnectString(target) : { nodeId: id as NodeId, addresses: [] };
  if (parsed.nodeId === self.nodeId) throw peersErrors.make('own-node');
  return parsed;
}
