import { shortId } from '../format.ts';
import type { UiSession } from '../session.ts';
import { EMPTY } from '../store/editor.ts';
import { record } from '../store/post.ts';
import { safeLine } from '../../kernel/sdk/kit/safe-text.ts';
import { openPeer } from './peer-card.ts';

export async function openSelectedPerson(session: UiSession): Promise<void> {
  const person = session.people.selected;
  if (person !== undefined) await openPeer(session, person.nodeId);
}

/** Unfollowing is cheap to undo, so it is offered instead of asked. */
export async function toggleFollow(session: UiSession, nodeId: string, name: string, followed: boolean): Promise<void> {
  const { shell, backend, node } = session;
  if (nodeId === node.state.get().nodeId) return shell.tell('This is you', 'plain');
  const startFollowing = () => follow(session, nodeId, name);
  if (!followed) return startFollowing();
  await backend.call('follow.remove', { node_id: nodeId });
  shell.offerUndo(`You no longer follow ${name}`, startFollowing);
  await refreshAfter(session);
}

/** Following somebody who is away is fine: the node keeps trying, and says what went wrong so far. */
async function follow(session: UiSession, target: string, name: string): Promise<void> {
  session.shell.tell(target.includes('@') ? 'Connecting …' : 'Looking for it …', 'plain');
  const { connected, problem } = record(await session.backend.call('follow.add', { target }, CONNECT_MS));
  const so =
    connected === false ? `, not connected yet${typeof problem === 'string' ? ` (${safeLine(problem)})` : ''}` : '';
  await refreshAfter(session);
  session.shell.tell(`You follow ${session.people.find(target.slice(0, 64))?.name ?? name}${so}`);
}

async function refreshAfter(session: UiSession): Promise<void> {
  await Promise.all([session.people.refresh(), session.feed.refresh()]);
}

/** Dialling has its own limit of 15 s in the node; the answer is waited for a little longer. */
const CONNECT_MS = 20_000;

function connect({ shell, backend, people }: UiSession): void {
  shell.open({
    kind: 'prompt',
    title: 'Connect to',
    placeholder: '<node id>@<host:port> – Settings shows yours',
    editor: EMPTY,
    submit: async (target) => {
      if (target === '') return;
      shell.tell('Connecting …', 'plain');
      await backend.call('peer.connect', { target }, CONNECT_MS);
      shell.tell(`Connected to ${shortId(target)}; press f to follow`);
      await people.refresh();
    },
  });
}

function followNew(session: UiSession): void {
  session.shell.open({
    kind: 'prompt',
    title: 'Follow',
    placeholder: 'a node id or connect string',
    editor: EMPTY,
    submit: async (target) => {
      if (target !== '') await follow(session, target, shortId(target));
    },
  });
}

export const peopleActions = {
  connect,
  'follow-new': followNew,
  'follow-person': async (session: UiSession) => {
    const person = session.people.selected;
    if (person === undefined) return;
    await toggleFollow(session, person.nodeId, person.name ?? shortId(person.nodeId), person.followed);
  },
};
