import type { UiSession } from '../session.ts';
import * as editor from '../store/editor.ts';
import type { Edit } from '../store/editor.ts';

/** Changes the text being written, whichever overlay holds it. */
export function editText(session: UiSession, edit: Edit): void {
  const { shell } = session;
  const top = shell.top;
  if (top?.kind === 'compose') {
    if (!shell.state.get().publishing) shell.state.set({ draft: edit(shell.state.get().draft) });
  } else if (top?.kind === 'prompt') {
    const changed = edit(top.editor);
    // A prompt is one line: line breaks of a pasted text become spaces.
    const characters = changed.characters.map((character) => (character === '\n' ? ' ' : character));
    shell.replaceTop({ ...top, editor: { characters, cursor: changed.cursor } });
    top.change?.(characters.join(''));
  }
}

const editing = (edit: Edit) => (session: UiSession) => editText(session, edit);

export const textActions = {
  'cursor-left': editing(editor.left),
  'cursor-right': editing(editor.right),
  'cursor-up': editing(editor.lineUp),
  'cursor-down': editing(editor.lineDown),
  'word-left': editing(editor.wordLeft),
  'word-right': editing(editor.wordRight),
  'line-start': editing(editor.lineStart),
  'line-end': editing(editor.lineEnd),
  'delete-back': editing(editor.deleteBack),
  'delete-forward': editing(editor.deleteForward),
  'delete-word': editing(editor.deleteWord),
  'delete-to-start': editing(editor.deleteToStart),
  'delete-to-end': editing(editor.deleteToEnd),
  'new-line': editing(editor.insert('\n')),
};
