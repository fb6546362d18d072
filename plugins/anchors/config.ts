import { Type } from '../../kernel/index.ts';
import type { Static } from '../../kernel/index.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** Settings of anchors; a change is a swap, so every key takes effect at once. */
export const AnchorsConfig = Type.Object({
  bootstrap: Type.Array(Type.String({ minLength: 1, maxLength: 2_048 }), {
    default: [],
    maxItems: 32,
    description: 'Connect strings of anchors to start from, besides those in anchors.json (live)',
  }),
  declare: Type.Boolean({
    default: false,
    description: 'Tell others that this node is an anchor without going through the checklist (live)',
  }),
  mobile: Type.Boolean({
    default: false,
    description: 'A mobile device, which never becomes an anchor by itself (live)',
  }),
  minMesh: Type.Integer({
    default: 50,
    minimum: 1,
    maximum: 1_000,
    description: 'Mesh peers needed to become an anchor (live)',
  }),
  minUptimeMs: Type.Integer({
    default: 2 * HOUR_MS,
    minimum: 0,
    maximum: 30 * 24 * HOUR_MS,
    description: 'Uptime needed to become an anchor (live)',
  }),
});
export type AnchorsConfig = Static<typeof AnchorsConfig>;
