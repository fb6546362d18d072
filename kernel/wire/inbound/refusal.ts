/** Why a frame is not handled; what a peer is told in a Refused frame, next to peer-visible handler codes. */
export type RefusalCode =
  | 'unsupported'
  | 'malformed'
  | 'too-large'
  | 'rate-limited'
  | 'over-capacity'
  | 'interrupted'
  | 'deadline'
  | 'failed';

export interface Refusal {
  readonly code: RefusalCode;
  /** Counted as `malformed:<detail>`. */
  readonly detail?: string;
  readonly retryAfterMs?: number;
}

export const UNSUPPORTED: Refusal = { code: 'unsupported' };
export const TOO_LARGE: Refusal = { code: 'too-large' };

export function malformed(detail: string): Refusal {
  return { code: 'malformed', detail };
}

/** What no working peer sends, and what therefore costs it misbehaviour points. */
export function blamesPeer({ code }: Refusal): boolean {
  return code === 'malformed' || code === 'too-large';
}
