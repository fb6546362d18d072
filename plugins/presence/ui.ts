import { ACTIVITY, contribute, STALE_ANSWERS } from '../../kernel/index.ts';
import { routeChanged } from './api.ts';

/** What the terminal UI tells of contacts that come and go. */
export const presenceUi = [
  contribute(ACTIVITY, [
    {
      topic: routeChanged.name,
      tag: 'contact',
      lines: [
        { when: { online: true }, tone: 'good', text: '{nodeId|node} is online, {reachMethod}' },
        { text: '{nodeId|node} is offline' },
      ],
    },
  ]),
  contribute(STALE_ANSWERS, [{ topics: [routeChanged.name], commands: ['follow.list'] }]),
];
