import { Text } from 'ink';
import { shortId, since } from '../format.ts';
import { colorOf } from '../identicon.ts';
import { keyOfPeer } from '../store/diagnostics.ts';
import type { Peer } from '../store/peer.ts';
import { useStore } from '../use-store.ts';
import type { ScreenProps } from '../screen-props.ts';
import { THEME } from '../theme.ts';
import { pad } from '../wrap.ts';
import { Bar } from './Bar.tsx';
import { reachBadgeOf } from './badge.ts';
import { IdenticonLine } from './Identicon.tsx';
import { Line } from './Line.tsx';
import { List } from './List.tsx';
import { Nothing } from './Nothing.tsx';

const NAME_COLUMNS = 24;

/** A card for each connection, then for each contact that has none (UI-18, UI-19). */
export function PeersPane({ session, area }: ScreenProps) {
  const peers = useStore(session.diagnostics.state, (state) => state.peers);
  const selected = useStore(session.diagnostics.state, (state) => state.selected.get('Peers') ?? 0);
  const off = useStore(session.diagnostics.state, ({ peersOff }) => peersOff);
  const nowMs = useStore(session.node.state, (state) => state.nowMs);
  useStore(session.people.state, (state) => state.people);
  if (peers.length === 0) {
    return <Nothing text={off === undefined ? 'No peer. People (3), then c, connects.' : `${off} is off.`} />;
  }
  return (
    <List session={session} items={peers} selected={selected} rows={area.rows} heightOf={() => 3} keyOf={keyOfPeer}>
      {(peer, isSelected) => {
        const name = peer.name || (session.people.find(peer.nodeId)?.name ?? '');
        return <PeerCard peer={peer} name={name} isSelected={isSelected} nowMs={nowMs} />;
      }}
    </List>
  );
}

interface PeerCardProps {
  readonly peer: Peer;
  /** Empty when none is known. */
  readonly name: string;
  readonly isSelected: boolean;
  readonly nowMs: number;
}

function PeerCard({ peer, name, isSelected, nowMs }: PeerCardProps) {
  const badge = reachBadgeOf(peer.reach);
  const slot = peer.kind === 'mesh' && peer.slot !== 'none' ? `, ${peer.slot} slot` : '';
  return (
    <>
      <Line>
        <Bar shown={isSelected} />
        <IdenticonLine nodeId={peer.nodeId} line={0} />
        <Text bold={name !== ''} color={name === '' ? THEME.dim : colorOf(peer.nodeId)}>
          {`  ${pad(name || 'no name', NAME_COLUMNS)}`}
        </Text>
        <Text color={THEME.dim}>{`  ${shortId(peer.nodeId)}  `}</Text>
        <Text bold color={badge.color}>
          {pad(badge.text, 4)}
        </Text>
        {`  ${peer.kind === '' ? 'not connected' : `${peer.kind}${slot}`}`}
      </Line>
      <Line>
        <Bar shown={isSelected} />
        <IdenticonLine nodeId={peer.nodeId} line={1} />
        <Text color={THEME.dim}>{`  ${peer.kind === '' ? absence(peer, nowMs) : link(peer, nowMs)}`}</Text>
      </Line>
    </>
  );
}

function link({ direction, remoteAddr, connectedAtMs, lastActivityMs }: Peer, nowMs: number): string {
  const arrow = direction === 'inbound' ? '←' : direction === 'outbound' ? '→' : '·';
  return `${arrow} ${remoteAddr}  open ${since(connectedAtMs, nowMs)}  active ${since(lastActivityMs, nowMs)}`;
}

function absence({ lastActivityMs }: Peer, nowMs: number): string {
  return lastActivityMs === 0
    ? 'you follow it; not seen yet'
    : `you follow it; last online ${since(lastActivityMs, nowMs)}`;
}
