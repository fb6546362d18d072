import { Type } from '../../kernel/index.ts';
import type { Static } from '../../kernel/index.ts';

/** Settings of keep-alive; a change is a swap, so every key takes effect at once. */
export const KeepAliveConfig = Type.Object({
  profile: Type.Union([Type.Literal('desktop'), Type.Literal('mobile')], {
    default: 'desktop',
    description: 'mobile: at most 50 keep-alive sessions, of a capacity of 100 (live)',
  }),
  sessionCapacity: Type.Integer({
    default: 1_000,
    minimum: 2,
    maximum: 10_000,
    description: 'Sessions this machine sustains; keep-alives take at most half (live)',
  }),
  ceiling: Type.Integer({
    default: 400,
    minimum: 0,
    maximum: 500,
    description: 'Keep-alive sessions at most, because each gets every routing diff (live)',
  }),
});
export type KeepAliveConfig = Static<typeof KeepAliveConfig>;

/** What a phone sustains: its system and its battery set the bounds (KEEP-07). */
const MOBILE = { sessionCapacity: 100, ceiling: 50 } as const;

/** KEEP-06, KEEP-07: of both directions together. The profile's, or fewer where the settings say so. */
export function sessionsMax({ profile, sessionCapacity, ceiling }: KeepAliveConfig): number {
  const isMobile = profile === 'mobile';
  const capacity = isMobile ? Math.min(sessionCapacity, MOBILE.sessionCapacity) : sessionCapacity;
  return Math.min(isMobile ? Math.min(ceiling, MOBILE.ceiling) : ceiling, Math.floor(capacity / 2));
}
