import { ACTIVITY, contribute, FIGURES, STALE_ANSWERS } from '../../kernel/index.ts';
import { postDeleted, postRoomShort, postsMadeRoom, postStored, syncFinished } from './api.ts';

/** What the terminal UI shows of posts beside its own feed. */
export const contentUi = [
  contribute(ACTIVITY, [
    {
      topic: syncFinished.name,
      tag: 'sync',
      lines: [{ text: 'synced with {peer|node}: {stored} new, {refused} refused' }],
    },
    {
      topic: postRoomShort.name,
      tag: 'disk',
      lines: [
        { text: 'posts of others take {usedBytes|bytes} of {maxBytes|bytes}: soon the oldest never opened make room' },
      ],
    },
    {
      topic: postsMadeRoom.name,
      tag: 'disk',
      lines: [{ text: '{count} old posts of others made room (content.othersMaxBytes)' }],
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
