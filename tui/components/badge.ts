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
