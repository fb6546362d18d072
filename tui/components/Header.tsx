import { Box, Text } from 'ink';
import { count, duration, shortId } from '../format.ts';
import { colorOf } from '../identicon.ts';
import type { UiSession } from '../session.ts';
import { useStore } from '../use-store.ts';
import { THEME } from '../theme.ts';
import { columnsOf, truncate } from '../wrap.ts';

/** One line: who this is, and how the node does. */
export function Header({ session, columns }: { readonly session: UiSession; readonly columns: number }) {
  const { name, nodeId, peers, posts, uptimeMs, nowMs } = useStore(session.node.state, (state) => state);
  const { link, lostAtMs } = useStore(session.backend.state, (state) => state);
  const dot = link === 'live' ? THEME.good : link === 'lost' ? THEME.bad : THEME.warn;
  const right =
    link === 'live'
      ? `${count(peers)} ${peers === 1 ? 'peer' : 'peers'} · ${count(posts)} ${posts === 1 ? 'post' : 'posts'} · up ${duration(uptimeMs)} `
      : link === 'lost'
        ? `node not reachable for ${duration(nowMs - (lostAtMs ?? nowMs))}, trying again `
        : 'connecting to the node … ';
  const space = columns - columnsOf(right) - 14;
  const who = truncate(name || 'no name yet', Math.max(6, space - 10));
  return (
    <Box width={columns} height={1} justifyContent="space-between" backgroundColor={THEME.surface} overflow="hidden">
      <Text wrap="truncate-end" color={THEME.onSurface}>
        <Text bold color={THEME.accent}>
          {' itsgoin'}
        </Text>
        {'  '}
        <Text color={dot}>●</Text>{' '}
        <Text bold color={nodeId === '' ? THEME.dim : colorOf(nodeId)}>
          {who}
        </Text>
        <Text color={THEME.dim}>{`  ${shortId(nodeId)}`}</Text>
      </Text>
      <Box flexShrink={0}>
        <Text color={link === 'lost' ? THEME.bad : THEME.dim}>{right}</Text>
      </Box>
    </Box>
  );
}
