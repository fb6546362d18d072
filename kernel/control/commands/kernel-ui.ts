import { connectionClosed, connectionOpened } from '../../sdk/network.ts';
import { pluginChanged } from '../../sdk/lifecycle-topics.ts';
import type { UiActivity, UiFigure, UiStaleAnswers } from '../../sdk/ui/index.ts';

/** What the kernel itself shows in the terminal UI, in the form in which plugins contribute. */
export const kernelActivity: readonly UiActivity[] = [
  {
    topic: connectionOpened.name,
    tag: 'link',
    lines: [
      { when: { direction: 'inbound' }, text: 'connected by {peer.nodeId|node} at {remoteAddr}' },
      { text: 'connected to {peer.nodeId|node} at {remoteAddr}' },
    ],
  },
  {
    topic: connectionClosed.name,
    tag: 'link',
    lines: [
      { when: { byPeer: true }, text: 'disconnected {peer.nodeId|node}: {reason}, by it' },
      { text: 'disconnected {peer.nodeId|node}: {reason}' },
    ],
  },
  {
    topic: pluginChanged.name,
    tag: 'plugin',
    lines: [
      { when: { outcome: 'refused' }, tone: 'bad', text: '{name} {outcome}: {reason}' },
      { when: { outcome: 'rolled-back' }, tone: 'bad', text: '{name} {outcome}: {reason}' },
      { when: { reason: null }, text: '{name} {outcome}' },
      { text: '{name} {outcome}: {reason}' },
    ],
  },
];

export const kernelFigures: readonly UiFigure[] = [
  { row: 'node', label: 'up', text: '{uptime_ms|duration}', command: 'status' },
  { row: 'node', label: 'port', text: '{port}', command: 'status' },
  { row: 'node', label: 'memory', text: '{rss_bytes|bytes}', command: 'status' },
];

export const kernelStale: readonly UiStaleAnswers[] = [
  { topics: [connectionOpened.name, connectionClosed.name], commands: ['status'] },
];
