import type { UiSession } from '../session.ts';
import { EMPTY, textOf } from '../store/editor.ts';

/** The node's own limit is answered by the node; this only keeps an empty post from being sent. */
function isBlank(text: string): boolean {
  return text.trim() === '';
}

async function publish(session: UiSession): Promise<void> {
  const { shell } = session;
  const { draft, publishing } = shell.state.get();
  const text = textOf(draft).trim();
  if (publishing) return;
  if (isBlank(text)) return shell.tell('Nothing written yet', 'plain');
  shell.state.set({ publishing: true });
  try {
    // On failure the draft stays as it is: nothing that was written is lost.
    await session.backend.call('post.create', { text });
    shell.state.set({ draft: EMPTY, overlays: shell.state.get().overlays.filter(({ kind }) => kind !== 'compose') });
    shell.tell('Published');
  } finally {
    shell.state.set({ publishing: false });
  }
  await Promise.all([session.feed.refresh(), session.mine.refresh()]);
}

export const composeActions = {
  compose: ({ shell }: UiSession) => shell.open({ kind: 'compose' }),
  publish,
  discard: ({ shell }: UiSession) => {
    const { draft } = shell.state.get();
    if (isBlank(textOf(draft))) return shell.close();
    shell.state.set({ draft: EMPTY });
    shell.close();
    shell.offerUndo('Draft thrown away', () => {
      shell.state.set({ draft });
      shell.open({ kind: 'compose' });
    });
  },
};

/** True while a draft would be lost by quitting. */
export function hasDraft(session: UiSession): boolean {
  return !isBlank(textOf(session.shell.state.get().draft));
}
