import { ACTIVITY, contribute, STALE_ANSWERS } from '../../kernel/index.ts';
import { connectivityChecked, sessionKept, sessionReleased } from './api.ts';

/** What the terminal UI tells of sessions that are kept. */
export const keepAliveUi = [
  contribute(ACTIVITY, [
    {
      topic: sessionKept.name,
      tag: 'session',
      lines: [{ tone: 'good', text: 'keeps {target|node} findable by a session to {host|node}' }],
    },
    {
      topic: sessionReleased.name,
      tag: 'session',
      lines: [{ text: 'released the session for {target|node}: {reason}' }],
    },
  ]),
  contribute(STALE_ANSWERS, [
    { topics: [sessionKept.name, sessionReleased.name, connectivityChecked.name], commands: ['mesh.slots'] },
  ]),
];
