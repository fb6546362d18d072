import { Text } from 'ink';
import { memo } from 'react';
import { ago, shortId } from '../format.ts';
import { IDENTICON_COLUMNS, colorOf } from '../identicon.ts';
import type { Post } from '../store/post.ts';
import { THEME } from '../theme.ts';
import { columnsOf, truncate, wrap } from '../wrap.ts';
import { badgeOf } from './badge.ts';
import { IdenticonLine } from './Identicon.tsx';
import { Line } from './Line.tsx';

/** Lines of text a card shows; Enter opens the rest. */
const CARD_LINES_MAX = 4;
/** Bar, space, picture, two spaces. */
const GUTTER_COLUMNS = IDENTICON_COLUMNS + 4;
/** Kept free at the right: terminals disagree about the width of rare characters. */
const MARGIN_COLUMNS = 2;

function cardText(post: Post, columns: number): { lines: readonly string[]; more: boolean } {
  return wrap(post.text, columns - GUTTER_COLUMNS - MARGIN_COLUMNS, CARD_LINES_MAX);
}

/** Lines of the card and the free line under it. */
export function cardHeight(post: Post, columns: number): number {
  const { lines, more } = cardText(post, columns);
  return Math.max(2, 1 + lines.length + (more ? 1 : 0)) + 1;
}

export interface PostCardProps {
  readonly post: Post;
  readonly name: string | undefined;
  readonly own: boolean;
  readonly isSelected: boolean;
  readonly columns: number;
  readonly nowMs: number;
}

export const PostCard = memo(function PostCard({ post, name, own, isSelected, columns, nowMs }: PostCardProps) {
  const { lines, more } = cardText(post, columns);
  const bar = <Text color={THEME.accent}>{isSelected ? '▌ ' : '  '}</Text>;
  const badge = badgeOf(post.visibility);
  const right = `${ago(post.timestampMs, nowMs)}  ${badge.text}`;
  const space = columns - GUTTER_COLUMNS - MARGIN_COLUMNS;
  const author = truncate(name ?? shortId(post.author), Math.max(8, space - columnsOf(right) - 16));
  const aside = own ? '  you' : name === undefined ? '' : `  ${shortId(post.author)}`;
  const gap = Math.max(1, space - columnsOf(author) - aside.length - columnsOf(right));
  const [first = '', ...others] = lines;
  return (
    <>
      <Line>
        {bar}
        <IdenticonLine nodeId={post.author} line={0} />
        {'  '}
        <Text bold color={colorOf(post.author)}>
          {author}
        </Text>
        <Text color={THEME.dim}>{aside + ' '.repeat(gap) + ago(post.timestampMs, nowMs)}</Text>
        {'  '}
        <Text color={badge.color}>{badge.text}</Text>
      </Line>
      <Line>
        {bar}
        <IdenticonLine nodeId={post.author} line={1} />
        {`  ${first}`}
      </Line>
      {others.map((line, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a line is its place
        <Line key={index}>
          {bar}
          {' '.repeat(GUTTER_COLUMNS - 2) + line}
        </Line>
      ))}
      {more ? (
        <Line>
          {bar}
          <Text color={THEME.dim}>{`${' '.repeat(GUTTER_COLUMNS - 2)}… enter shows all`}</Text>
        </Line>
      ) : null}
    </>
  );
});
