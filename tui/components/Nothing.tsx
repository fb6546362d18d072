import { Text } from 'ink';
import { THEME } from '../theme.ts';
import { Line } from './Line.tsx';

/** Why a list is empty. */
export function Nothing({ text }: { readonly text: string }) {
  return (
    <Line>
      <Text color={THEME.dim}>{`  ${text}`}</Text>
    </Line>
  );
}
