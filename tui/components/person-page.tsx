import { Text } from 'ink';
import type { ReactNode } from 'react';
import { dateTime, since } from '../format.ts';
import type { UiSession } from '../session.ts';
import type { PeerCardState, PeerFacts } from '../store/peer-card.ts';
import { THEME } from '../theme.ts';
import { wrap } from '../wrap.ts';
import { reachBadgeOf } from './badge.ts';
import { field } from './field.tsx';
import { IdenticonLine } from './Identicon.tsx';
import type { Page } from './page.ts';

/** All that is known of a node: as a person, and what the mesh says of it (UI-16, UI-18). */
export function personPage(
  session: UiSession,
  nodeId: string,
  card: PeerCardState,
  columns: number,
  nowMs: number,
): Page {
  const person = session.people.find(nodeId);
  const lastOnline = person?.online
    ? 'now'
    : person?.lastSeenMs === undefined
      ? 'not seen yet'
      : dateTime(person.lastSeenMs);
  return {
    title: session.nameOf(nodeId),
    lines: [
      <IdenticonLine key="0" nodeId={nodeId} line={0} />,
      <IdenticonLine key="1" nodeId={nodeId} line={1} />,
      '',
      ...(person === undefined || person.bio === '' ? [] : [...wrap(person.bio, columns).lines, '']),
      ...field('node id', nodeId, columns),
      ...field('you', person?.followed ? 'follow this person' : 'do not follow this person', columns),
      ...(person === undefined ? [] : field('last online', lastOnline, columns)),
      ...(card.nodeId === nodeId ? meshLines(card, columns, nowMs) : []),
      ...(person?.links ?? []).flatMap((link) => [
        '',
        ...field('device', link.deviceId, columns),
        ...field('link', `${link.kind} to ${link.remoteAddr}`, columns),
        ...field('open since', `${dateTime(link.connectedAtMs)}, active ${since(link.lastActivityMs, nowMs)}`, columns),
      ]),
    ],
  };
}

function meshLines({ facts, off }: PeerCardState, columns: number, nowMs: number): ReactNode[] {
  if (facts === undefined) return field('reach', off === undefined ? 'reading …' : `${off} is off`, columns);
  const badge = reachBadgeOf(facts.reach);
  const { verdict, addresses, lastAttempt, lastClose } = facts;
  return [
    <Text key="reach">
      <Text color={THEME.dim}>{'reach       '}</Text>
      <Text bold color={badge.color}>
        {badge.text}
      </Text>
      {reported(facts)}
    </Text>,
    ...(verdict === '' ? [] : field('mesh says', verdict, columns)),
    ...(addresses.length === 0 ? [] : field('addresses', addresses.join('  '), columns)),
    ...(lastAttempt === undefined
      ? []
      : field('last dial', `${lastAttempt.result}, ${since(lastAttempt.atMs, nowMs)}`, columns)),
    ...(lastClose === undefined
      ? []
      : field('last end', `${lastClose.reason}, ${since(lastClose.atMs, nowMs)}`, columns)),
  ];
}

function reported({ n2Reporters, n3Reporters }: PeerFacts): string {
  if (n2Reporters + n3Reporters === 0) return '  no peer reports it';
  return `  ${n2Reporters} ${n2Reporters === 1 ? 'peer has' : 'peers have'} it in N1, ${n3Reporters} in N2`;
}
