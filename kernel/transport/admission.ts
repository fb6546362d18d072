import type { DeviceId } from '../sdk/identifiers.ts';

/**
 * One connection between two devices (design section 4), decided before a stream of it is read.
 *
 * Whoever dials sends a Hello once the certificates are checked. The listening side answers with an Accept, or
 * closes the connection with the word that it refused it (`duplicate-connection`), so that what came with the
 * Hello is known to be unread. Where the dialler has reason to expect a refusal, as it holds a connection or is
 * being dialled from there itself, it sends nothing before the Accept. The listening side decides, with what it
 * holds and what the Hello claims:
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
