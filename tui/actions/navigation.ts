import type { Session } from '../session.ts';
import { EMPTY } from '../store/editor.ts';
import { TABS } from '../tabs.ts';
import { runCommandLine } from './command-line.ts';
import { hasDraft } from './compose.ts';

function goTo(session: Session, index: number): void {
  if (index < 0 || index >= TABS.length) return;
  session.shell.state.set({ tab: index });
  session.tab.enter?.(session);
  void session.attempt(() => session.tab.refresh(session));
}

function stepTab(session: Session, delta: number): void {
  goTo(session, (session.shell.state.get().tab + delta + TABS.length) % TABS.length);
}

function scroll(session: Session, change: (scroll: number) => number): void {
  const top = session.shell.top;
  if (top === undefined || !('scroll' in top)) return;
  const to = Math.max(0, Math.min(session.view.scrollMax, change(top.scroll)));
  session.shell.replaceTop({ ...top, scroll: to });
}

function quit(session: Session): void {
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
function quitNow(session: Session): void {
  if (session.shell.top?.kind === 'confirm') session.quit();
  else quit(session);
}

async function refresh(session: Session): Promise<void> {
  await session.tab.refresh(session);
  session.shell.tell(`${session.tab.title} refreshed`);
}

function filter(session: Session): void {
  const { shell } = session;
  const target = session.tab.posts?.(session) ?? session.people;
  target.filter('');
  shell.open({
    kind: 'prompt',
    title: `Filter ${session.tab.title}`,
    placeholder: 'words, a name or the start of a node id',
    editor: EMPTY,
    change: (text) => target.filter(text.trim()),
    submit: (text) => target.filter(text.trim()),
    cancel: () => target.filter(''),
  });
}

async function enableMissing(session: Session): Promise<void> {
  const { tab, people, diagnostics, shell, backend } = session;
  const offOfTab =
    tab.id === 'people' ? people.state.get().off : tab.id === 'diagnostics' ? diagnostics.off : undefined;
  const off = shell.state.get().notice?.enable ?? tab.posts?.(session).state.get().off ?? offOfTab;
  if (off === undefined) return shell.tell('Nothing this tab needs is off', 'plain');
  await backend.call('plugin.enable', { name: off });
  shell.tell(`${off} is on again`);
  await session.refreshAll();
}

async function undo({ shell }: Session): Promise<void> {
  const offered = shell.state.get().notice?.undo;
  if (offered === undefined) return shell.tell('Nothing to undo', 'plain');
  shell.clearNotice();
  await offered();
}

async function submit(session: Session): Promise<void> {
  const top = session.shell.top;
  if (top?.kind !== 'prompt') return;
  session.shell.close();
  await top.submit(top.editor.characters.join('').trim());
}

function close({ shell }: Session): void {
  const { top } = shell;
  shell.close();
  if (top?.kind === 'prompt') top.cancel?.();
}

async function yes(session: Session): Promise<void> {
  const top = session.shell.top;
  if (top?.kind !== 'confirm') return;
  session.shell.close();
  await top.yes();
}

function command(session: Session): void {
  session.shell.open({
    kind: 'prompt',
    title: 'Command',
    placeholder: 'status   ·   plugin inspect content   ·   peer connect <connect string>',
    editor: EMPTY,
    submit: (line) => (line === '' ? undefined : runCommandLine(session, line)),
  });
}

export const navigationActions = {
  help: ({ shell }: Session) => shell.open({ kind: 'help', scroll: 0 }),
  'go-to-tab': (session: Session, key: string) => goTo(session, Number(key) - 1),
  'next-tab': (session: Session) => stepTab(session, 1),
  'previous-tab': (session: Session) => stepTab(session, -1),
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
  down: (session: Session) => session.tab.cursor(session).move(1),
  up: (session: Session) => session.tab.cursor(session).move(-1),
  top: (session: Session) => session.tab.cursor(session).first(),
  bottom: (session: Session) => session.tab.cursor(session).last(),
  'page-down': (session: Session) => session.tab.cursor(session).move(session.view.pageItems),
  'page-up': (session: Session) => session.tab.cursor(session).move(-session.view.pageItems),
  open: (session: Session) => session.tab.open(session),
  'scroll-down': (session: Session) => scroll(session, (at) => at + 1),
  'scroll-up': (session: Session) => scroll(session, (at) => at - 1),
  'scroll-page-down': (session: Session) => scroll(session, (at) => at + session.view.pageRows),
  'scroll-page-up': (session: Session) => scroll(session, (at) => at - session.view.pageRows),
  'scroll-top': (session: Session) => scroll(session, () => 0),
  'scroll-bottom': (session: Session) => scroll(session, () => session.view.scrollMax),
};
