import { ACTIVITY, contribute, FIGURES, PANE } from '../../kernel/index.ts';
import type { UiLine } from '../../kernel/index.ts';
import { wormSearched } from './api.ts';

/** One search that ended, of the event or of `worm explain`, which differ in where the fields stand. */
function searched(kind: string, id: string, tookMs: string, messages: string): UiLine[] {
  const cost = `{${tookMs}} ms, {${messages}|count:message}`;
  return [
    { when: { [kind]: 'node', found: false }, tone: 'warn', text: `{${id}|node} not found; ${cost}` },
    { when: { found: false }, tone: 'warn', text: `{${kind}} {${id}|id} not found; ${cost}` },
    { when: { [kind]: 'node', local: true }, tone: 'good', text: `{${id}|node} was known here` },
    { when: { local: true }, tone: 'good', text: `{${kind}} {${id}|id} was known here` },
    { when: { [kind]: 'node' }, tone: 'good', text: `{${id}|node} found; ${cost}` },
    { tone: 'good', text: `{${kind}} {${id}|id} found at {holder|node}; ${cost}` },
  ];
}

/** What the terminal UI shows of searches. */
export const wormSearchUi = [
  contribute(ACTIVITY, [
    {
      topic: wormSearched.name,
      tag: 'search',
      lines: searched('target.kind', 'target.id', 'tookMs', 'cost.messages'),
    },
  ]),
  contribute(FIGURES, [
    {
      row: 'work',
      label: 'searches',
      text: '{running|count} running',
      command: 'worm.explain',
      topics: [wormSearched.name],
    },
  ]),
  contribute(
    PANE,
    {
      title: 'Growth',
      section: 'Searches',
      command: 'worm.explain',
      topics: [wormSearched.name],
      groups: [
        {
          rows: 'running',
          tag: 'running',
          at: 'started_at_ms',
          lines: [
            { when: { kind: 'node' }, tone: 'dim', text: '{id|node}' },
            { tone: 'dim', text: '{kind} {id|id}' },
          ],
        },
        { rows: 'ended', tag: 'ended', at: 'at_ms', lines: searched('kind', 'id', 'took_ms', 'messages') },
      ],
      empty: 'none yet',
    },
    { name: 'worm-search/searches', after: ['mesh/growth'], before: ['anchors/rejoins'] },
  ),
];
