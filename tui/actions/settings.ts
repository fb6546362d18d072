import type { UiSession } from '../session.ts';
import { editorOf } from '../store/editor.ts';
import { record } from '../store/post.ts';
import { runContributed } from './contributed.ts';

export function editSelectedSetting(session: UiSession): void | Promise<void> {
  const { shell, settings, node, backend } = session;
  const row = settings.selected;
  if (row === undefined) return;
  if (row.action !== undefined) return runContributed(session, row.action);
  if (!row.editable) return copy(session);
  shell.open({
    kind: 'prompt',
    title: `${row.section}: ${row.key}`,
    placeholder: row.about,
    editor: editorOf(row.value),
    submit: async (value) => {
      if (row.section === 'Profile') {
        const { name, bio } = node.state.get();
        await backend.call('profile.set', { name, bio, [row.key]: value });
        await node.refreshProfile();
        return shell.tell('Profile saved');
      }
      const answer = record(await backend.call('config.set', { key: row.key, value }));
      await settings.refresh();
      if (typeof answer.problem === 'string') return shell.tell(`${row.key} is saved. Still wrong: ${answer.problem}`);
      shell.tell(
        answer.restart === true ? `${row.key} is saved and takes effect at the next start` : `${row.key} is changed`,
      );
    },
  });
}

/** Through the terminal (OSC 52), so that it works over a remote shell too. */
function copy({ settings, shell, emit }: UiSession): void {
  const row = settings.selected;
  if (row === undefined || row.value === '') return;
  emit(`\u001b]52;c;${Buffer.from(row.value).toString('base64')}\u0007`);
  shell.tell(`Copied the ${row.key}, if your terminal allows it`);
}

export const settingsActions = { copy };
