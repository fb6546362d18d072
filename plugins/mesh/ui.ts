import { ACTIONS, ACTIVITY, contribute, FIGURES, PANE, STALE_ANSWERS } from '../../kernel/index.ts';
import type { UiLine } from '../../kernel/index.ts';
import { growthTried, meshEmptied, rebalanced, slotChanged } from './api.ts';

/** One attempt of growth, of the event or of `growth explain`. */
function tried(nodeId: string, tookMs: string): UiLine[] {
  return [
    { when: { outcome: 'joined' }, tone: 'good', text: `{${nodeId}|node} joined the mesh; {why}, {${tookMs}} ms` },
    { when: { outcome: 'refused' }, tone: 'warn', text: `{${nodeId}|node} has no slot for us; {why}, {${tookMs}} ms` },
    { tone: 'bad', text: `{${nodeId}|node} not reached: {reason}; {why}, {${tookMs}} ms` },
  ];
}

const activity = contribute(ACTIVITY, [
  {
    topic: slotChanged.name,
    tag: 'slot',
    lines: [
      { when: { slot: 'none' }, tone: 'warn', text: '{peer.nodeId|node} has no slot any more: {reason}' },
      { tone: 'good', text: '{peer.nodeId|node} has a {slot} slot: {reason}' },
    ],
  },
  { topic: meshEmptied.name, tag: 'slot', lines: [{ tone: 'bad', text: 'the last mesh peer is gone' }] },
  {
    topic: rebalanced.name,
    tag: 'mesh',
    lines: [
      { when: { steps: null }, text: 'rebalance by {cause}: nothing to do' },
      { text: 'rebalance by {cause}: {steps|list}' },
    ],
  },
  { topic: growthTried.name, tag: 'growth', lines: tried('nodeId', 'tookMs') },
]);

/** Lists of peers come all the time, so they are no reason to read anything anew. */
const stale = contribute(STALE_ANSWERS, [
  {
    topics: [slotChanged.name, meshEmptied.name, rebalanced.name, growthTried.name],
    commands: ['mesh.slots', 'growth.explain'],
  },
]);

const figures = contribute(
  FIGURES,
  [
    { row: 'connections', label: 'mesh', text: '{held|count}/{limit|count}', command: 'mesh.slots' },
    {
      row: 'connections',
      label: 'preferred',
      text: '{preferred_held|count}/{preferred_limit|count}',
      command: 'mesh.slots',
    },
    { row: 'connections', label: 'sessions', text: '{connections.session|count}', command: 'mesh.slots' },
    { row: 'connections', label: 'keep-alives', text: '{connections.keep-alive|count}', command: 'mesh.slots' },
    { row: 'reach', label: 'ephemeral', text: '{connections.ephemeral|count}', command: 'mesh.slots' },
    {
      row: 'links',
      label: 'links',
      text: '{preferred_held} preferred · {other_held} other mesh · {connections.keep-alive|count} keep-alive · {connections.session|count} session · {connections.ephemeral|count} ephemeral',
      command: 'mesh.slots',
    },
    { row: 'work', label: 'growth', text: '{verdict}', command: 'growth.explain' },
  ],
  { after: ['routing', 'worm-search'] },
);

const actions = contribute(ACTIONS, [
  {
    key: 'B',
    label: 'rebalance',
    about: 'Clean up the mesh and let it grow (rebalance now)',
    command: 'rebalance.now',
    busy: 'rebalancing',
    where: ['diagnostics', 'settings'],
    done: [{ text: 'Rebalanced: {summary}' }],
  },
]);

const pane = contribute(
  PANE,
  {
    title: 'Growth',
    section: 'Growth',
    command: 'growth.explain',
    groups: [
      { tag: 'now', lines: [{ tone: 'dim', text: '{verdict}' }] },
      {
        lines: [
          {
            tone: 'dim',
            text: '{used} of {slots} slots, grows at once below {reactive_below}; {failures} failed and {refusals} refused in a row, {skipped} left alone',
          },
        ],
      },
      {
        rows: 'trying',
        tag: 'trying',
        lines: [{ tone: 'dim', text: '{node_id|node}; {why}, score {score|fixed}' }],
      },
      { rows: 'tried', tag: 'tried', at: 'at_ms', lines: tried('node_id', 'took_ms') },
      {
        rows: 'candidates',
        tag: 'next',
        lines: [
          {
            when: { in_n3: true },
            tone: 'dim',
            text: '{node_id|node}; score {score|fixed}, named by {reporters}, also in N3',
          },
          { tone: 'dim', text: '{node_id|node}; score {score|fixed}, named by {reporters}' },
        ],
      },
    ],
  },
  { name: 'mesh/growth' },
);

/** What the terminal UI shows of the mesh beside its list of peers. */
export const meshUi = [activity, stale, figures, actions, pane];
