import { Text } from 'ink';
import { THEME } from '../theme.ts';
import { Line } from './Line.tsx';

/** Says that the plugin behind a screen is off, and which key brings it back. */
export function OffNotice({ plugin }: { readonly plugin: string }) {
  return (
    <Line>
      <Text color={THEME.warn}>{`  ◌ ${plugin} is off`}</Text>
      <Text color={THEME.dim}>{'  press '}</Text>
      <Text bold>E</Text>
      <Text color={THEME.dim}>{' to enable it; what was read before stays on the screen'}</Text>
    </Line>
  );
}
