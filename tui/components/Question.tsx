import { Box, Text } from 'ink';
import type { Editor } from '../store/editor.ts';
import type { Confirm, Prompt } from '../store/shell.ts';
import { THEME } from '../theme.ts';
import { truncate } from '../wrap.ts';
import { Line } from './Line.tsx';
import { TextField } from './TextField.tsx';

/** Lines a question takes above the status line. */
export const QUESTION_ROWS = 4;

function dotted({ characters, cursor }: Editor): Editor {
  return { characters: characters.map(() => '•'), cursor };
}

/** A prompt for one line of text, or a yes-or-no question, at the foot of the screen. */
export function Question({ overlay, columns }: { readonly overlay: Prompt | Confirm; readonly columns: number }) {
  const isPrompt = overlay.kind === 'prompt';
  return (
    <Box
      width={columns}
      height={QUESTION_ROWS}
      flexShrink={0}
      flexDirection="column"
      borderStyle="round"
      borderColor={isPrompt ? THEME.accent : THEME.warn}
      paddingX={1}
      overflow="hidden"
    >
      {isPrompt ? (
        <>
          <Line>
            <Text bold color={THEME.accent}>
              {overlay.title}
            </Text>
          </Line>
          <TextField
            editor={overlay.hidden === true ? dotted(overlay.editor) : overlay.editor}
            columns={columns - 5}
            rows={1}
            placeholder={truncate(overlay.placeholder, columns - 5)}
          />
        </>
      ) : (
        <>
          <Line>
            <Text bold color={THEME.warn}>
              {overlay.question}
            </Text>
            <Text color={THEME.dim}>{'  y yes  n no'}</Text>
          </Line>
          <Line>
            <Text color={THEME.dim}>{truncate(overlay.detail, columns - 5)}</Text>
          </Line>
        </>
      )}
    </Box>
  );
}
