import { bindingOf, type Action, type Scope } from '../keys.ts';
import type { KeyPress } from '../key-names.ts';
import { safeText } from '../../kernel/sdk/kit/safe-text.ts';
import type { UiSession } from '../session.ts';
import { insert } from '../store/editor.ts';
import type { Overlay } from '../store/shell.ts';
import { currentTab } from '../tabs.ts';
import { composeActions } from './compose.ts';
import { contributedActions, runContributed } from './contributed.ts';
import { diagnosticsActions } from './diagnostics.ts';
import { navigationActions } from './navigation.ts';
import { peopleActions } from './people.ts';
import { postActions } from './posts.ts';
import { settingsActions } from './settings.ts';
import { editText, textActions } from './text.ts';

/** What an action does. `key` is the name of the key that asked for it. */
export type Act = (session: UiSession, key: string) => void | Promise<void>;

const ACTIONS: Readonly<Record<Action, Act>> = {
  ...navigationActions,
  ...postActions,
  ...peopleActions,
  ...diagnosticsActions,
  ...settingsActions,
  ...composeActions,
  ...textActions,
};

const OVERLAY_SCOPES: Readonly<Record<Overlay['kind'], readonly Scope[]>> = {
  help: ['overlay', 'scroll'],
  report: ['overlay', 'scroll'],
  person: ['overlay', 'scroll'],
  post: ['overlay', 'scroll', 'post'],
  compose: ['compose', 'text'],
  prompt: ['prompt', 'text'],
  confirm: ['confirm'],
};

/** Where keys go right now: to the topmost overlay, or to the tab. */
export function scopesOf(session: UiSession): readonly Scope[] {
  const top = session.shell.top;
  if (top !== undefined) return [...OVERLAY_SCOPES[top.kind], 'always'];
  return [...currentTab(session).scopes, 'list', 'tabs', 'always'];
}

/** Every stack of scopes that can listen at once; a key may mean one thing in each. */
export function scopeStacks(tabScopes: readonly (readonly Scope[])[]): readonly (readonly Scope[])[] {
  return [
    ...tabScopes.map((scopes): readonly Scope[] => [...scopes, 'list', 'tabs', 'always']),
    ...Object.values(OVERLAY_SCOPES).map((scopes): readonly Scope[] => [...scopes, 'always']),
  ];
}

/** Does what a key means here, or types it where text is being written. */
export function press(session: UiSession, pressed: KeyPress): Promise<void> {
  const key = 'key' in pressed ? pressed.key : pressed.text;
  const scopes = scopesOf(session);
  const binding = bindingOf(scopes, key);
  if (binding !== undefined) return session.attempt(() => ACTIONS[binding.action](session, key));
  const contributed = session.shell.top === undefined ? contributedActions(session) : [];
  const action = contributed.find((one) => one.key === key);
  if (action !== undefined) return session.attempt(() => runContributed(session, action));
  const typed = 'text' in pressed ? pressed.text : pressed.key === 'space' ? ' ' : '';
  if (typed !== '' && scopes.includes('text')) editText(session, insert(safeText(typed)));
  return Promise.resolve();
}

/** Pasted text goes into the text being written, made safe; elsewhere it is no sequence of keys. */
export function paste(session: UiSession, text: string): void {
  if (scopesOf(session).includes('text')) editText(session, insert(safeText(text)));
  else session.shell.tell('Press n to write, then paste', 'plain');
}
