import type { ReachBadge } from '../store/peer.ts';
import { THEME } from '../theme.ts';

export interface Badge {
  readonly text: string;
  readonly color: string;
}

const BADGES: Readonly<Record<string, Badge>> = {
  public: { text: '○ public', color: THEME.dim },
  friends: { text: '◐ friends', color: THEME.good },
  circle: { text: '◑ circle', color: THEME.accent },
  direct: { text: '● direct', color: THEME.warn },
};

/** Who can read a post, as a word and a shape: colour alone says nothing to some (UI-25). */
export function badgeOf(visibility: string): Badge {
  return BADGES[visibility] ?? { text: `◉ ${visibility}`, color: THEME.accent };
}

const REACH_BADGES: Readonly<Record<ReachBadge, Badge>> = {
  mesh: { text: 'Mesh', color: THEME.good },
  n1: { text: 'N1', color: THEME.accent },
  n2: { text: 'N2', color: THEME.warn },
  n3: { text: 'N3', color: THEME.dim },
  none: { text: 'N4+', color: THEME.dim },
};

/** How near a node is, as `peer reach` says (UI-18). */
export function reachBadgeOf(reach: ReachBadge): Badge {
  return REACH_BADGES[reach];
}
