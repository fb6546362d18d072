import type { ReactNode } from 'react';
import type { ScreenProps } from '../screen-props.ts';
import type { Tab } from '../tabs.ts';
import { DiagnosticsScreen } from './DiagnosticsScreen.tsx';
import { FeedScreen } from './FeedScreen.tsx';
import { MyPostsScreen } from './MyPostsScreen.tsx';
import { PeopleScreen } from './PeopleScreen.tsx';
import { SettingsScreen } from './SettingsScreen.tsx';

/** What each tab draws. */
export const SCREENS: Readonly<Record<Tab['id'], (props: ScreenProps) => ReactNode>> = {
  feed: FeedScreen,
  mine: MyPostsScreen,
  people: PeopleScreen,
  settings: SettingsScreen,
  diagnostics: DiagnosticsScreen,
};
