import type { DeviceId } from '../sdk/identifiers.ts';

/**
 * One connection between two devices (design section 4), decided before a connection carries streams.
 *
 * Whoever dials sends a Hello once the certificates are checked; only after the other side's Accept is
 * the connection open for both. So a connection that loses is closed (`duplicate-connection`) before
 * any message can be on it, and nothing is ever lost. The listening side decides, with what it holds
 * and what the Hello claims:
 *
 * - A restarted peer has a new incarnation: what we hold from the old one is dead and is replaced.
 * - A peer whose Hello says that it holds our common connection dials needlessly: rejected.
 * - A peer that dialled what we hold, and now dials without holding it, has lost it: replaced.
 * - What remains is two dials that cross: the one dialled by the smaller DeviceId stays.
 * - A dialler that was rejected in favour of a connection it does not have insists: replaced.
 */
export interface Hello {
  /** Random per endpoint: a restarted process has another. 16 hex characters. */
  readonly incarnation: string;
  /** The incarnation the dialler's open connection to us belongs to. */
  readonly holds: string | undefined;
  readonly insists: boolean;
}

/** What we hold with the device that dials: an open connection, or our own dial awaiting its Accept. */
export interface Rival {
  readonly direction: 'inbound' | 'outbound';
  /** Undefined while our own dial is not accepted yet. */
  readonly incarnation: string | undefined;
}

/** `replace` accepts and closes the rival, which the peer no longer has. */
export type Verdict = 'accept' | 'replace' | 'reject';

export function admit(
  hello: Hello,
  rival: Rival | undefined,
  self: { readonly incarnation: string; readonly deviceId: DeviceId },
  dialler: DeviceId,
): Verdict {
  if (rival === undefined) return 'accept';
  const pending = rival.incarnation === undefined;
  if (!pending && rival.incarnation !== hello.incarnation) return 'replace';
  if (hello.insists) return pending ? 'accept' : 'replace';
  if (hello.holds === self.incarnation) return 'reject';
  if (rival.direction === 'inbound') return 'replace';
  if (self.deviceId < dialler) return 'reject';
  return pending ? 'accept' : 'replace';
}
