import { Type } from '../../kernel/index.ts';
import type { Static } from '../../kernel/index.ts';
import { DESKTOP_SLOTS } from './slots/decide.ts';

/** Settings of mesh; a change is a swap, so every key takes effect at once. */
export const MeshConfig = Type.Object({
  profile: Type.Union([Type.Literal('desktop'), Type.Literal('mobile')], {
    default: 'desktop',
    description: 'mobile: at most 15 mesh slots, 3 of them preferred (live)',
  }),
  maxMesh: Type.Integer({
    default: DESKTOP_SLOTS.mesh,
    minimum: 1,
    maximum: 1_000,
    description: 'Mesh slots; connections beyond them are sessions (live)',
  }),
  maxPreferred: Type.Integer({
    default: DESKTOP_SLOTS.preferred,
    minimum: 0,
    maximum: 10,
    description: 'Slots of preferred peers, as a part of maxMesh (live)',
  }),
  growth: Type.Boolean({
    default: true,
    description: 'Look for mesh peers by itself until maxMesh is reached (live)',
  }),
  sessionIdleMs: Type.Integer({
    default: 300_000,
    minimum: 10_000,
    maximum: 86_400_000,
    description: 'A session with no frame in or out for so long is closed, unless its node is remembered (live)',
  }),
  keepAliveMs: Type.Integer({
    default: 30_000,
    minimum: 1_000,
    maximum: 300_000,
    description: 'Interval of the heartbeat on each mesh connection (live)',
  }),
  zombieMs: Type.Integer({
    default: 600_000,
    minimum: 10_000,
    maximum: 86_400_000,
    description: 'A connection with no frame in or out for so long is closed (live)',
  }),
  redialBaseMs: Type.Integer({
    default: 500,
    minimum: 50,
    maximum: 60_000,
    description: 'First wait before a remembered peer is dialled again; doubles with each failure (live)',
  }),
  redialMaxMs: Type.Integer({
    default: 60_000,
    minimum: 1_000,
    maximum: 3_600_000,
    description: 'Longest wait between two dials of a remembered peer (live)',
  }),
});
export type MeshConfig = Static<typeof MeshConfig>;
