import type { UiSession } from '../session.ts';
import { EMPTY } from '../store/editor.ts';
import { currentTab, type Tab, TABS } from '../tabs.ts';
import { runCommandLine } from './command-line.ts';
import { hasDraft } from './compose.ts';
import { openDiagnosticsItem } from './diagnostics.ts';
import { openSelectedPerson } from './people.ts';
import { openSelectedPost } from './posts.ts';
import { editSelectedSetting } from './settings.ts';

/** What enter does with the selected item of each tab. */
const OPEN: Readonly<Record<Tab['id'], (session: UiSession) => void | Promise<void>>> = {
  feed: openSelectedPost,
  mine: openSelectedPost,
  people: openSelectedPerson,
  settings: editSelectedSetting,
  diagnostics: openDiagnosticsItem,
};

function goTo(session: UiSession, index: number): void {
  const tab = TABS[index];
  if (tab === undefined) return;
  session.shell.state.set({ tab: tab.id });
  tab.enter?.(session);
  void session.attempt(() => tab.refresh(session));
}

function stepTab(session: UiSession, delta: number): void {
  goTo(session, (TABS.indexOf(currentTab(session)) + delta + TABS.length) % TABS.length);
}

const cursor = (session: UiSession) => currentTab(session).cursor(session);

function scroll(session: UiSession, change: (scroll: number) => number): void {
  const top = session.shell.top;
  if (top === undefined || !('scroll' in top)) return;
  const to = Math.max(0, Math.min(session.view.scrollMax, change(top.scroll)));
  session.shell.replaceTop({ ...top, scroll: to });
}

function quit(session: UiSession): void {
  const { shell } = session;
  if (!hasDraft(session)) session.quit();
  else
    shell.open({
      kind: 'confirm',
      question: 'Quit and lose your draft?',
      detail: 'The text you are writing is not published.',
      yes: () => session.quit(),
    });
}

/** The second ctrl+c never asks again. */
function quitNow(session: UiSession): void {
  if (session.shell.top?.kind === 'confirm') session.quit();
  else quit(session);
}

async function refresh(session: UiSession): Promise<void> {
  const tab = currentTab(session);
  await tab.refresh(session);
  session.shell.tell(`${tab.title} refreshed`);
}

function filter(session: UiSession): void {
  const { shell } = session;
  const tab = currentTab(session);
  const target = tab.posts?.(session) ?? session.people;
  target.filter('');
  shell.open({
    kind: 'prompt',
    title: `Filter ${tab.title}`,
    placeholder: 'words, a name or the start of a node id',
    editor: EMPTY,
    change: (text) => target.filter(text.trim()),
    submit: (text) => target.filter(text.trim()),
    cancel: () => target.filter(''),
  });
}

async function enableMissing(session: UiSession): Promise<void> {
  const { people, diagnostics, shell, backend } = session;
  const tab = currentTab(session);
  const offOfTab =
    tab.id === 'people' ? people.state.get().off : tab.id === 'diagnostics' ? diagnostics.off : undefined;
  const off = shell.state.get().notice?.enable ?? tab.posts?.(session).state.get().off ?? offOfTab;
  if (off === undefined) return shell.tell('Nothing this tab needs is off', 'plain');
  await backend.call('plugin.enable', { name: off });
  shell.tell(`${off} is on again`);
  await session.refreshAll();
}

async function undo({ shell }: UiSession): Promise<void> {
  const offered = shell.state.get().notice?.undo;
  if (offered === undefined) return shell.tell('Nothing to undo', 'plain');
  shell.clearNotice();
  await offered();
}

async function submit(session: UiSession): Promise<void> {
  const top = session.shell.top;
  if (top?.kind !== 'prompt') return;
  session.shell.close();
  await top.submit(top.editor.characters.join('').trim());
}

function close({ shell }: UiSession): void {
  const { top } = shell;
  shell.close();
  if (top?.kind === 'prompt') top.cancel?.();
}

async function yes(session: UiSession): Promise<void> {
  const top = session.shell.top;
  if (top?.kind !== 'confirm') return;
  session.shell.close();
  await top.yes();
}

function command(session: UiSession): void {
  session.shell.open({
    kind: 'prompt',
    title: 'Command',
    placeholder: 'status   ·   plugin inspect content   ·   peer connect <connect string>',
    editor: EMPTY,
    submit: (line) => (line === '' ? undefined : runCommandLine(session, line)),
  });
}

export const navigationActions = {
  help: ({ shell }: UiSession) => shell.open({ kind: 'help', scroll: 0 }),
  'go-to-tab': (session: UiSession, key: string) => goTo(session, Number(key) - 1),
  'next-tab': (session: UiSession) => stepTab(session, 1),
  'previous-tab': (session: UiSession) => stepTab(session, -1),
  quit,
  'quit-now': quitNow,
  refresh,
  undo,
  command,
  filter,
  submit,
  close,
  yes,
  'enable-missing': enableMissing,
  down: (session: UiSession) => cursor(session).move(1),
  up: (session: UiSession) => cursor(session).move(-1),
  top: (session: UiSession) => cursor(session).first(),
  bottom: (session: UiSession) => cursor(session).last(),
  'page-down': (session: UiSession) => cursor(session).move(session.view.pageItems),
  'page-up': (session: UiSession) => cursor(session).move(-session.view.pageItems),
  open: (session: UiSession) => OPEN[currentTab(session).id](session),
  'scroll-down': (session: UiSession) => scroll(session, (at) => at + 1),
  'scroll-up': (session: UiSession) => scroll(session, (at) => at - 1),
  'scroll-page-down': (session: UiSession) => scroll(session, (at) => at + session.view.pageRows),
  'scroll-page-up': (session: UiSession) => scroll(session, (at) => at - session.view.pageRows),
  'scroll-top': (session: UiSession) => scroll(session, () => 0),
  'scroll-bottom': (session: UiSession) => scroll(session, () => session.view.scrollMax),
};
