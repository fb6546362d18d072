import { refreshDiagnostics } from './actions/diagnostics.ts';
import type { Scope } from './keys.ts';
import type { UiSession } from './session.ts';
import type { ListCursor } from './store/list-cursor.ts';
import type { PostList } from './store/post-list.ts';

export interface Tab {
  /** What the shell remembers; screens and what enter opens are found by it. */
  readonly id: 'feed' | 'mine' | 'people' | 'settings' | 'diagnostics';
  readonly title: string;
  /** Scopes of the key table that listen here, before the common ones. */
  readonly scopes: readonly Scope[];
  readonly cursor: (session: UiSession) => ListCursor;
  readonly refresh: (session: UiSession) => Promise<void>;
  /** Where the tab shows posts. */
  readonly posts?: (session: UiSession) => PostList;
  /** Runs when the tab is gone to. */
  readonly enter?: (session: UiSession) => void;
}

const feed: Tab = {
  id: 'feed',
  title: 'Feed',
  scopes: ['posts'],
  cursor: (session) => session.feed.cursor,
  refresh: (session) => session.feed.refresh(),
  posts: (session) => session.feed,
};

const mine: Tab = {
  id: 'mine',
  title: 'My Posts',
  scopes: ['posts'],
  cursor: (session) => session.mine.cursor,
  refresh: (session) => session.mine.refresh(),
  posts: (session) => session.mine,
};

const people: Tab = {
  id: 'people',
  title: 'People',
  scopes: ['people'],
  cursor: (session) => session.people.cursor,
  refresh: (session) => session.people.refresh(),
};

const settings: Tab = {
  id: 'settings',
  title: 'Settings',
  scopes: ['settings'],
  cursor: (session) => session.settings.cursor,
  refresh: (session) => session.settings.refresh(),
};

const diagnostics: Tab = {
  id: 'diagnostics',
  title: 'Diagnostics',
  scopes: ['diagnostics'],
  cursor: (session) => session.diagnostics.cursor,
  refresh: refreshDiagnostics,
  enter: (session) => session.diagnostics.lines.trace(),
};

/** The tabs in their order, which the number keys follow: a new tab is one more name here. */
export const TABS: readonly [Tab, ...Tab[]] = [feed, mine, people, settings, diagnostics];

/** The tab of this id; the first one for an id that is none. */
export function tabOf(id: string): Tab {
  return TABS.find((tab) => tab.id === id) ?? TABS[0];
}

/** The tab the user is at. */
export function currentTab({ shell }: UiSession): Tab {
  return tabOf(shell.state.get().tab);
}
