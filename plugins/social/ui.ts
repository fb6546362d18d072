import { ACTIVITY, contribute, STALE_ANSWERS } from '../../kernel/index.ts';
import { followed, followerChanged, profileChanged, unfollowed } from './api.ts';

/** What the terminal UI tells of people, and when its list of them is to be read anew. */
export const socialUi = [
  contribute(ACTIVITY, [
    {
      topic: followerChanged.name,
      tag: 'contact',
      lines: [
        { when: { following: true }, text: '{nodeId|node} follows you' },
        { text: '{nodeId|node} no longer follows you' },
      ],
    },
  ]),
  contribute(STALE_ANSWERS, [
    { topics: [followerChanged.name], commands: ['follow.list'] },
    { topics: [followed.name, unfollowed.name], commands: ['follow.list', 'feed.list'] },
    { topics: [profileChanged.name], commands: ['follow.list', 'feed.list'] },
    { topics: [profileChanged.name], commands: ['profile.show'], params: { node_id: 'nodeId' } },
  ]),
];
