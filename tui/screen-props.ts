import type { UiSession } from './session.ts';

/** The space a screen has, in characters. */
export interface Area {
  readonly columns: number;
  readonly rows: number;
}

export interface ScreenProps {
  readonly session: UiSession;
  readonly area: Area;
}
