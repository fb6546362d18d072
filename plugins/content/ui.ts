import { ACTIVITY, contribute, FIGURES, STALE_ANSWERS } from '../../kernel/index.ts';
import { postDeleted, postStored, syncFinished } from './api.ts';

/** What the terminal UI shows of posts beside its own feed. */
export const contentUi = [
  contribute(ACTIVITY, [
    {
      topic: syncFinished.name,
      tag: 'sync',
      lines: [{ text: 'synced with {peer|node}: {stored} new, {refused} refused' }],
    },
  ]),
  contribute(FIGURES, [{ row: 'node', label: 'posts', text: '{posts|count}', command: 'status' }]),
  contribute(STALE_ANSWERS, [
    {
      topics: [postStored.name, postDeleted.name, syncFinished.name],
      commands: ['feed.list', 'post.list', 'status'],
    },
    { topics: [postDeleted.name], commands: ['post.show'], params: { id: 'id' }, gone: true },
  ]),
];
