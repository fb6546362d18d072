import { Type } from '../../kernel/index.ts';
import type { Static } from '../../kernel/index.ts';
import { DESKTOP_SLOTS } from './slots/decide.ts';

/** Settings of mesh; a change is a swap, so every key takes effect at once. */
export const MeshConfig = Type.Object(
  {
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
    maxPerAddress: Type.Integer({
      default: 4,
      minimum: 1,
      maximum: 1_000,
      description:
        'Slots of one IPv4 address or IPv6 /64 (a /48: four times), preferred peers apart; what they say of the network is as good as one voice (live)',
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
  },
  // The plugin `peers` has them now.
  { moved: ['keepAliveMs', 'zombieMs', 'redialBaseMs', 'redialMaxMs'] },
);
export type MeshConfig = Static<typeof MeshConfig>;
