import { Type } from '../../kernel/index.ts';
import type { Static } from '../../kernel/index.ts';

/** Settings of keep-alive; a change is a swap, so every key takes effect at once. */
export const KeepAliveConfig = Type.Object({
  sessionCapacity: Type.Integer({
    default: 1_000,
    minimum: 2,
    maximum: 10_000,
    description: 'Sessions this machine sustains; keep-alives take at most half. A phone sustains about 100 (live)',
  }),
  ceiling: Type.Integer({
    default: 400,
    minimum: 0,
    maximum: 500,
    description: 'Keep-alive sessions at most, because each gets every routing diff; 25 to 50 on a phone (live)',
  }),
});
export type KeepAliveConfig = Static<typeof KeepAliveConfig>;

/** KEEP-06, KEEP-07: of both directions together. */
export function sessionsMax({ sessionCapacity, ceiling }: KeepAliveConfig): number {
  return Math.min(ceiling, Math.floor(sessionCapacity / 2));
}
