import { Box, Text } from 'ink';
import { contributedActions } from '../actions/contributed.ts';
import { scopesOf } from '../actions/index.ts';
import { hintsOf } from '../keys.ts';
import { safeLine } from '../../kernel/sdk/kit/safe-text.ts';
import type { UiSession } from '../session.ts';
import type { Notice } from '../store/shell.ts';
import { useStore } from '../use-store.ts';
import { THEME } from '../theme.ts';
import { columnsOf, truncate, wrap } from '../wrap.ts';

const TONES = { good: THEME.good, bad: THEME.bad, plain: THEME.onSurface } as const;

/** Lines that the text of a notice takes at most, and its hint: what is longer is cut. */
const PART_LINES_MAX = 2;

interface NoticeLine {
  readonly text: string;
  readonly hint: string;
}

/** A notice on one line where it fits, else its text and then its hint on lines of their own. */
function linesOf({ text, hint = '' }: Notice, columns: number): readonly NoticeLine[] {
  const space = columns - 2;
  const together = hint === '' ? text : `${text}  ${hint}`;
  if (columnsOf(together) <= space) return [{ text, hint: hint === '' ? '' : `  ${hint}` }];
  return [
    ...fold(text, space).map((line) => ({ text: line, hint: '' })),
    ...(hint === '' ? [] : fold(hint, space).map((line) => ({ text: '', hint: line }))),
  ];
}

function fold(text: string, columns: number): readonly string[] {
  const { lines, more } = wrap(text, columns, PART_LINES_MAX);
  return more ? [...lines.slice(0, -1), truncate(`${lines.at(-1)}…`, columns)] : lines;
}

/** Lines that the status takes at the end of the screen. */
export function statusRows(notice: Notice | undefined, columns: number): number {
  return notice === undefined ? 1 : linesOf(notice, columns).length;
}

/** The last lines: what just happened, or else what the keys do here. */
export function StatusLine({ session, columns }: { readonly session: UiSession; readonly columns: number }) {
  const notice = useStore(session.shell.state, (state) => state.notice);
  useStore(session.shell.state, (state) => state.overlays);
  useStore(session.shell.state, (state) => state.tab);
  useStore(session.diagnostics.state, (state) => state.pane);
  useStore(session.contributions.state, (state) => state);
  return (
    <Box
      width={columns}
      height={statusRows(notice, columns)}
      flexShrink={0}
      flexDirection="column"
      backgroundColor={THEME.surface}
      overflow="hidden"
    >
      {notice === undefined ? (
        <Hints session={session} columns={columns - 2} />
      ) : (
        linesOf(notice, columns).map(({ text, hint }) => (
          <Text key={text + hint} wrap="truncate-end">
            <Text color={TONES[notice.tone]}>{` ${text}`}</Text>
            <Text color={THEME.dim}>{hint}</Text>
          </Text>
        ))
      )}
    </Box>
  );
}

/** The keys of plugins come after those of the tab. */
function allHints(session: UiSession): readonly { key: string; hint: string }[] {
  const scopes = scopesOf(session);
  if (session.shell.top !== undefined) return hintsOf(scopes);
  const contributed = contributedActions(session).map(({ key, label }) => ({ key, hint: safeLine(label, 24) }));
  return [...hintsOf(scopes.slice(0, 1)), ...contributed, ...hintsOf(scopes.slice(1))];
}

function Hints({ session, columns }: { readonly session: UiSession; readonly columns: number }) {
  const all = allHints(session);
  const width = ({ key, hint }: { key: string; hint: string }) => key.length + hint.length + 3;
  // Whoever is lost needs these two; the others give way.
  const needed = all.filter(({ hint }) => hint === 'help' || hint === 'quit');
  let used = needed.reduce((sum, one) => sum + width(one), 0);
  const fitting = all.filter((one) => {
    if (needed.includes(one)) return true;
    used += width(one);
    return used <= columns;
  });
  return (
    <Text wrap="truncate-end">
      {fitting.map(({ key, hint }) => (
        <Text key={key + hint}>
          <Text bold color={THEME.onSurface}>{` ${key}`}</Text>
          <Text color={THEME.dim}>{` ${hint} `}</Text>
        </Text>
      ))}
    </Text>
  );
}
