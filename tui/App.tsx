import { Box, Text, useInput, usePaste, useWindowSize } from 'ink';
import { useLayoutEffect } from 'react';
import { paste, press } from './actions/index.ts';
import { Compose, composeRows } from './components/Compose.tsx';
import { Header } from './components/Header.tsx';
import { OverlayView, type FullOverlay } from './components/OverlayView.tsx';
import { Question, QUESTION_ROWS } from './components/Question.tsx';
import { ScreenBoundary } from './components/ScreenBoundary.tsx';
import { StatusLine, statusRows } from './components/StatusLine.tsx';
import { TabBar } from './components/TabBar.tsx';
import { keyPresses } from './key-names.ts';
import { SCREENS } from './screens/index.ts';
import type { UiSession } from './session.ts';
import type { Confirm, Overlay, Prompt } from './store/shell.ts';
import { useStore } from './use-store.ts';
import { tabOf } from './tabs.ts';
import { THEME } from './theme.ts';

/** Below this the screens would be garbage; a message says so instead. */
const COLUMNS_MIN = 50;
const ROWS_MIN = 14;
/** Longer lines are hard to read; a wider window keeps the rest free. */
const TEXT_COLUMNS_MAX = 120;
/** Header, tab bar of two. */
const FRAME_ROWS = 3;

/** The whole screen. Never as tall as the terminal: the last line stays free, or the terminal scrolls. */
export function App({ session }: { readonly session: UiSession }) {
  const { columns, rows: screenRows } = useWindowSize();
  const rows = Math.max(1, screenRows - 1);
  const notice = useStore(session.shell.state, (state) => state.notice);
  const tooSmall = columns < COLUMNS_MIN || rows < ROWS_MIN - 1;
  useInput((input, key) => {
    for (const pressed of keyPresses(input, key)) {
      // Nobody publishes or deletes what cannot be seen.
      const seen = !tooSmall || ('key' in pressed && pressed.key === 'ctrl+c');
      if (seen) void press(session, pressed);
      else if ('text' in pressed && pressed.text === 'q') session.quit();
    }
  });
  useLayoutEffect(() => {
    session.view.columns = columns;
  });
  usePaste((text) => {
    if (!tooSmall) paste(session, text);
  });
  if (tooSmall) return <TooSmall columns={columns} rows={rows} />;
  return (
    <Box flexDirection="column" width={columns} height={rows} overflow="hidden">
      <Header session={session} columns={columns} />
      <TabBar session={session} columns={columns} />
      <Body session={session} columns={columns} rows={rows - FRAME_ROWS - statusRows(notice, columns)} />
      <StatusLine session={session} columns={columns} />
    </Box>
  );
}

function Body({
  session,
  columns,
  rows,
}: {
  readonly session: UiSession;
  readonly columns: number;
  readonly rows: number;
}) {
  const overlays = useStore(session.shell.state, (state) => state.overlays);
  const { id } = tabOf(useStore(session.shell.state, (state) => state.tab));
  const Screen = SCREENS[id];
  useStore(session.shell.state, (state) => state.draft);
  const full = overlays.findLast(isFull);
  const question = overlays.findLast(isQuestion);
  const writing = overlays.some(({ kind }) => kind === 'compose')
    ? composeRows(session, Math.min(columns, TEXT_COLUMNS_MAX), rows)
    : 0;
  const area = {
    columns: Math.min(columns, TEXT_COLUMNS_MAX),
    rows: Math.max(1, rows - writing - (question === undefined ? 0 : QUESTION_ROWS)),
  };
  return (
    <Box flexDirection="column" height={rows} flexShrink={0} overflow="hidden">
      {writing > 0 ? <Compose session={session} columns={area.columns} rows={writing} /> : null}
      <Box flexDirection="column" height={area.rows} flexShrink={0} overflow="hidden">
        <ScreenBoundary key={full?.kind ?? id}>
          {full === undefined ? (
            <Screen session={session} area={area} />
          ) : (
            <OverlayView session={session} overlay={full} area={area} />
          )}
        </ScreenBoundary>
      </Box>
      {question === undefined ? null : <Question overlay={question} columns={area.columns} />}
    </Box>
  );
}

function isFull(overlay: Overlay): overlay is FullOverlay {
  return 'scroll' in overlay;
}

function isQuestion(overlay: Overlay): overlay is Prompt | Confirm {
  return overlay.kind === 'prompt' || overlay.kind === 'confirm';
}

function TooSmall({ columns, rows }: { readonly columns: number; readonly rows: number }) {
  return (
    <Box
      width={columns}
      height={rows}
      flexDirection="column"
      justifyContent="center"
      alignItems="center"
      overflow="hidden"
    >
      <Text bold color={THEME.accent}>
        itsgoin
      </Text>
      <Text>{`${columns}×${rows + 1} is too small;`}</Text>
      <Text>{`make it ${COLUMNS_MIN}×${ROWS_MIN} or more`}</Text>
      <Text color={THEME.dim}>q quits</Text>
    </Box>
  );
}
