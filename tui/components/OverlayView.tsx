import { Box, Text } from 'ink';
import type { ReactNode } from 'react';
import { contributedActions } from '../actions/contributed.ts';
import { ago, bytes, count, dateTime, shortId } from '../format.ts';
import { colorOf } from '../identicon.ts';
import { BINDINGS, SCOPE_TITLES, type Binding, type Scope } from '../keys.ts';
import { safeLine } from '../../kernel/sdk/kit/safe-text.ts';
import type { UiSession } from '../session.ts';
import type { PeerCardState } from '../store/peer-card.ts';
import type { Overlay } from '../store/shell.ts';
import { useStore } from '../use-store.ts';
import type { Area } from '../screen-props.ts';
import { currentTab } from '../tabs.ts';
import { THEME } from '../theme.ts';
import { pad, wrap } from '../wrap.ts';
import { badgeOf } from './badge.ts';
import { field } from './field.tsx';
import { IdenticonLine } from './Identicon.tsx';
import { Line } from './Line.tsx';
import type { Page } from './page.ts';
import { personPage } from './person-page.tsx';
import { Scroll } from './Scroll.tsx';

/** Overlays that take the place of the whole tab. */
export type FullOverlay = Extract<Overlay, { scroll: number }>;

/** A view that lies over the tab: help, an open post, a person, or a command's answer. */
export function OverlayView({
  session,
  overlay,
  area,
}: {
  readonly session: UiSession;
  readonly overlay: FullOverlay;
  readonly area: Area;
}) {
  useStore(session.people.state, (state) => state.people);
  const card = useStore(session.peerCard.state, (state) => state);
  const nowMs = useStore(session.node.state, (state) => state.nowMs);
  const page = contentOf(session, overlay, card, area.columns - 4, nowMs);
  return (
    <Box flexDirection="column" height={area.rows} overflow="hidden">
      <Line>
        {'  '}
        <Text bold color={THEME.accent}>
          {page.title}
        </Text>
        <Text color={THEME.dim}>{'  esc closes'}</Text>
      </Line>
      <Line />
      <Box paddingLeft={2}>
        <Scroll session={session} rows={area.rows - 2} scroll={overlay.scroll} lines={page.lines} />
      </Box>
    </Box>
  );
}

function contentOf(
  session: UiSession,
  overlay: FullOverlay,
  card: PeerCardState,
  columns: number,
  nowMs: number,
): Page {
  switch (overlay.kind) {
    case 'help':
      return { title: 'Keys', lines: helpLines(session) };
    case 'report':
      return { title: overlay.title, lines: wrap(overlay.text, columns).lines };
    case 'post':
      return postPage(session, overlay.list, overlay.id, columns, nowMs);
    case 'person':
      return personPage(session, overlay.nodeId, card, columns, nowMs);
  }
}

/** The whole key table, the keys of the current tab first and with them those of plugins. */
function helpLines(session: UiSession): ReactNode[] {
  const table: readonly Binding[] = BINDINGS;
  const first = currentTab(session).scopes;
  const scopes = new Set([...first, ...(Object.keys(SCOPE_TITLES) as Scope[])]);
  return [...scopes].flatMap((scope) => {
    const contributed = scope === first[0] ? contributedActions(session) : [];
    const bindings = [
      ...table.filter((binding) => binding.scope === scope).map((one) => ({ keys: keysOf(one), about: one.about })),
      ...contributed.map(({ key, label, about = label }) => ({ keys: key, about: safeLine(about, 100) })),
    ];
    if (bindings.length === 0) return [];
    return [
      <Text key={scope} bold>
        {SCOPE_TITLES[scope]}
      </Text>,
      ...bindings.map(({ keys, about }) => (
        <Text key={`${scope} ${keys} ${about}`}>
          <Text color={THEME.accent}>{pad(`  ${keys}`, 24)}</Text>
          {about}
        </Text>
      )),
      '',
    ];
  });
}

function keysOf({ keys }: Binding): string {
  const isRange = keys.length > 3;
  return isRange ? `${keys[0]} … ${keys.at(-1)}` : keys.join(', ');
}

function postPage(session: UiSession, list: 'feed' | 'mine', id: string, columns: number, nowMs: number): Page {
  const post = session[list].find(id);
  if (post === undefined) return { title: 'Post', lines: ['This post is gone: it was deleted, or its plugin is off.'] };
  const self = session.node.state.get();
  const name = post.authorName ?? (post.author === self.nodeId ? self.name : session.people.find(post.author)?.name);
  const badge = badgeOf(post.visibility);
  return {
    title: 'Post',
    lines: [
      <Text key="who">
        <IdenticonLine nodeId={post.author} line={0} />
        <Text bold color={colorOf(post.author)}>{`  ${name || shortId(post.author)}`}</Text>
        <Text color={THEME.dim}>{`  ${ago(post.timestampMs, nowMs)}  `}</Text>
        <Text color={badge.color}>{badge.text}</Text>
      </Text>,
      <Text key="id">
        <IdenticonLine nodeId={post.author} line={1} />
        <Text color={THEME.dim}>{`  ${shortId(post.author)}`}</Text>
      </Text>,
      '',
      ...wrap(post.text, columns - 2).lines,
      ...(post.cut
        ? [
            '',
            <Text key="cut" color={THEME.warn}>
              The text goes on; this screen shows its first 65,536 characters.
            </Text>,
          ]
        : []),
      '',
      ...field('published', dateTime(post.timestampMs), columns),
      ...field('size', `${bytes(Buffer.byteLength(post.text))}, ${count(post.text.length)} characters`, columns),
      ...field('post id', post.id, columns),
      ...field('author', post.author, columns),
    ],
  };
}
