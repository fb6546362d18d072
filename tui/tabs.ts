import type { ReactNode } from 'react';
import { openDiagnosticsItem, refreshDiagnostics } from './actions/diagnostics.ts';
import { openSelectedPerson } from './actions/people.ts';
import { openSelectedPost } from './actions/posts.ts';
import { editSelectedSetting } from './actions/settings.ts';
import type { Scope } from './keys.ts';
import { DiagnosticsScreen } from './screens/DiagnosticsScreen.tsx';
import { FeedScreen } from './screens/FeedScreen.tsx';
import { MyPostsScreen } from './screens/MyPostsScreen.tsx';
import { PeopleScreen } from './screens/PeopleScreen.tsx';
import { SettingsScreen } from './screens/SettingsScreen.tsx';
import type { Session } from './session.ts';
import type { ListCursor } from './store/list-cursor.ts';
import type { PostList } from './store/post-list.ts';

export interface Area {
  readonly columns: number;
  readonly rows: number;
}

export interface ScreenProps {
  readonly session: Session;
  readonly area: Area;
}

export interface Tab {
  readonly id: string;
  readonly title: string;
  /** Scopes of the key table that listen here, before the common ones. */
  readonly scopes: readonly Scope[];
  readonly Screen: (props: ScreenProps) => ReactNode;
  readonly cursor: (session: Session) => ListCursor;
  /** Opens the selected item. */
  readonly open: (session: Session) => void | Promise<void>;
  readonly refresh: (session: Session) => Promise<void>;
  /** Where the tab shows posts. */
  readonly posts?: (session: Session) => PostList;
  /** Runs when the tab is gone to. */
  readonly enter?: (session: Session) => void;
}

const feed: Tab = {
  id: 'feed',
  title: 'Feed',
  scopes: ['posts'],
  Screen: FeedScreen,
  cursor: (session) => session.feed.cursor,
  open: openSelectedPost,
  refresh: (session) => session.feed.refresh(),
  posts: (session) => session.feed,
};

const mine: Tab = {
  id: 'mine',
  title: 'My Posts',
  scopes: ['posts'],
  Screen: MyPostsScreen,
  cursor: (session) => session.mine.cursor,
  open: openSelectedPost,
  refresh: (session) => session.mine.refresh(),
  posts: (session) => session.mine,
};

const people: Tab = {
  id: 'people',
  title: 'People',
  scopes: ['people'],
  Screen: PeopleScreen,
  cursor: (session) => session.people.cursor,
  open: openSelectedPerson,
  refresh: (session) => session.people.refresh(),
};

const settings: Tab = {
  id: 'settings',
  title: 'Settings',
  scopes: ['settings'],
  Screen: SettingsScreen,
  cursor: (session) => session.settings.cursor,
  open: editSelectedSetting,
  refresh: (session) => session.settings.refresh(),
};

const diagnostics: Tab = {
  id: 'diagnostics',
  title: 'Diagnostics',
  scopes: ['diagnostics'],
  Screen: DiagnosticsScreen,
  cursor: (session) => session.diagnostics.cursor,
  open: openDiagnosticsItem,
  refresh: refreshDiagnostics,
  enter: (session) => session.diagnostics.open(),
};

/** The tabs in their order, which the number keys follow: a new tab is one more name here. */
export const TABS: readonly [Tab, ...Tab[]] = [feed, mine, people, settings, diagnostics];
