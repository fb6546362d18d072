import { Text } from 'ink';
import { THEME } from '../theme.ts';

/** The mark of the selected line. */
export function Bar({ shown }: { readonly shown: boolean }) {
  return <Text color={THEME.accent}>{shown ? '▌ ' : '  '}</Text>;
}
