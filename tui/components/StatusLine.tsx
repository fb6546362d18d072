import { Box, Text } from 'ink';
import { scopesOf } from '../actions/index.ts';
import { hintsOf } from '../keys.ts';
import type { Session } from '../session.ts';
import { useStore } from '../store/store.ts';
import { THEME } from '../theme.ts';
import { columnsOf, truncate } from '../wrap.ts';

const TONES = { good: THEME.good, bad: THEME.bad, plain: THEME.onSurface } as const;

/** The last line: what just happened, or else what the keys do here. */
export function StatusLine({ session, columns }: { readonly session: Session; readonly columns: number }) {
  const notice = useStore(session.shell.state, (state) => state.notice);
  useStore(session.shell.state, (state) => state.overlays);
  useStore(session.shell.state, (state) => state.tab);
  const space = columns - 2;
  const text = truncate(notice?.text ?? '', space);
  const hint = notice?.hint === undefined ? '' : truncate(`  ${notice.hint}`, Math.max(0, space - columnsOf(text)));
  return (
    <Box width={columns} height={1} flexShrink={0} backgroundColor={THEME.surface} overflow="hidden">
      {notice === undefined ? (
        <Hints session={session} columns={space} />
      ) : (
        <Text wrap="truncate-end">
          <Text color={TONES[notice.tone]}>{` ${text}`}</Text>
          <Text color={THEME.dim}>{hint}</Text>
        </Text>
      )}
    </Box>
  );
}

function Hints({ session, columns }: { readonly session: Session; readonly columns: number }) {
  let used = 0;
  const fitting = hintsOf(scopesOf(session)).filter(({ key, hint }) => {
    used += key.length + hint.length + 3;
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
