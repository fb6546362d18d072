import type { UiSession } from '../session.ts';

/** Opens the card of a node, whether or not it is somebody known (UI-16). */
export async function openPeer({ shell, peerCard }: UiSession, nodeId: string): Promise<void> {
  shell.open({ kind: 'person', nodeId, scroll: 0 });
  await peerCard.load(nodeId);
}
