import { dateTime } from '../format.ts';
import { safeLine, safeText } from '../../kernel/sdk/kit/safe-text.ts';
import type { UiSession } from '../session.ts';
import type { PluginRow } from '../store/lines.ts';
import { record } from '../store/post.ts';
import { rowText } from '../store/rows.ts';
import { openPeer } from './peer-card.ts';

/** Opens what the cursor of the pane is on: a plugin, a node, or a line too long for the screen. */
export async function openDiagnosticsItem(session: UiSession): Promise<void> {
  const { diagnostics, shell, backend } = session;
  const { selectedPlugin, selectedNode, selectedRow, selectedLogLine } = diagnostics;
  if (selectedPlugin !== undefined) {
    const inspection = await backend.call('plugin.inspect', { name: selectedPlugin.name });
    shell.open({ kind: 'report', title: `Plugin ${selectedPlugin.name}`, text: outline(inspection), scroll: 0 });
  } else if (selectedNode) await openPeer(session, selectedNode);
  else if (selectedRow !== undefined)
    shell.open({ kind: 'report', title: selectedRow.tag, text: rowText(selectedRow, session.nameOf), scroll: 0 });
  else if (selectedLogLine !== undefined)
    shell.open({ kind: 'report', title: dateTime(selectedLogLine.atMs), text: selectedLogLine.text, scroll: 0 });
}

/** What the tab shows, with a loading state (UI-20). */
export async function refreshDiagnostics({ diagnostics, node }: UiSession): Promise<void> {
  await diagnostics.during('reading', async () => {
    await Promise.all([node.refresh(), diagnostics.refresh()]);
  });
}

/** A JSON value as indented lines without brackets and quotes, every string safe to paint. */
export function outline(value: unknown, indent = ''): string {
  if (typeof value !== 'object' || value === null)
    return safeText(typeof value === 'string' ? value : (JSON.stringify(value) ?? ''));
  return Object.entries(value)
    .map(([key, inner]) => {
      const label = Array.isArray(value) ? '·' : safeLine(key);
      const isEmpty = typeof inner === 'object' && inner !== null && Object.keys(inner).length === 0;
      if (typeof inner !== 'object' || inner === null) return `${indent}${label}  ${outline(inner)}`;
      return isEmpty ? `${indent}${label}  –` : `${indent}${label}\n${outline(inner, `${indent}  `)}`;
    })
    .join('\n');
}

/** What is refused is an error with its reason, which the session tells; the list shows it as well. */
async function swap(session: UiSession, verb: 'enable' | 'disable' | 'reload', name: string): Promise<void> {
  try {
    const result = record(await session.backend.call(`plugin.${verb}`, { name }));
    const ms = typeof result.total_ms === 'number' ? ` in ${Math.round(result.total_ms)} ms` : '';
    session.shell.tell(`${name}: ${verb} done${ms}`);
  } finally {
    await session.diagnostics.refresh();
  }
}

function withPlugin(run: (session: UiSession, plugin: PluginRow) => void | Promise<void>) {
  return (session: UiSession) => {
    const plugin = session.diagnostics.selectedPlugin;
    if (plugin === undefined) return session.shell.tell('Select a plugin in the Plugins pane first', 'plain');
    return run(session, plugin);
  };
}

export const diagnosticsActions = {
  'next-pane': ({ diagnostics }: UiSession) => diagnostics.movePane(1),
  'previous-pane': ({ diagnostics }: UiSession) => diagnostics.movePane(-1),
  pause: ({ diagnostics }: UiSession) => diagnostics.lines.togglePause(),
  'enable-plugin': withPlugin((session, { name }) => swap(session, 'enable', name)),
  'reload-plugin': withPlugin((session, { name }) => swap(session, 'reload', name)),
  'disable-plugin': withPlugin((session, { name }) =>
    session.shell.open({
      kind: 'confirm',
      question: `Disable ${name}?`,
      detail: 'Its commands stop answering and peers are told; its data stays, and e enables it again.',
      yes: () => swap(session, 'disable', name),
    }),
  ),
};
