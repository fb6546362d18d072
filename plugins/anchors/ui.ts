import { ACTIONS, ACTIVITY, contribute, PANE } from '../../kernel/index.ts';
import { declarationChanged, probeEnded, rejoinEnded } from './api.ts';

/** Dead anchors cost 15 s each; who asks for longer is told that it goes on. */
const REQUEST_LIMIT_MS = 60_000;

const STEPS = '{steps|list:what node_id result}';

/** What the terminal UI shows of anchors, and the key that asks them (UI-17). */
export const anchorsUi = [
  contribute(ACTIVITY, [
    {
      topic: rejoinEnded.name,
      tag: 'anchors',
      lines: [
        { when: { anchor: null }, tone: 'bad', text: 'no anchor answered ({cause}) in {tookMs} ms' },
        {
          tone: 'good',
          text: '{anchor|node} answered ({cause}), {connected|count:referral} connected in {tookMs} ms',
        },
      ],
    },
    {
      topic: probeEnded.name,
      tag: 'anchors',
      lines: [{ text: 'probe of {address}: {outcome}, {reason}; witness {witness|node}' }],
    },
    {
      topic: declarationChanged.name,
      tag: 'anchors',
      lines: [
        { when: { declared: true }, text: 'this node is an anchor: {reason}' },
        { text: 'this node is no anchor: {reason}' },
      ],
    },
  ]),
  contribute(ACTIONS, [
    {
      key: 'a',
      label: 'ask anchors',
      about: 'Ask the anchors for peers now (anchor request)',
      command: 'anchor.request',
      busy: 'asking anchors',
      purpose: 'ask anchors for peers',
      limitMs: REQUEST_LIMIT_MS,
      done: [
        { when: { reached: 0 }, tone: 'bad', text: 'No anchor answered; Growth tells who was asked' },
        { text: 'Anchors answered: {reached|count:node} reached, anchors included' },
      ],
    },
  ]),
  contribute(
    PANE,
    {
      title: 'Growth',
      section: 'Anchors asked',
      command: 'anchor.explain',
      topics: [rejoinEnded.name],
      groups: [
        {
          rows: 'rejoins',
          tag: '{cause}',
          at: 'at_ms',
          lines: [
            { when: { steps: null }, tone: 'warn', text: 'nobody to ask' },
            { when: { 'steps.result': 'connected' }, tone: 'good', text: STEPS },
            { tone: 'warn', text: STEPS },
          ],
        },
      ],
      empty: 'none yet',
    },
    { name: 'anchors/rejoins', after: ['mesh/growth'] },
  ),
];
