import { Text } from 'ink';
import { THEME } from '../theme.ts';
import { Line } from './Line.tsx';

interface OffNoticeProps {
  readonly plugin: string;
  /** Whether the screen goes on showing what the plugin told before. */
  readonly keeps?: boolean;
}

/** Says that the plugin behind a screen is off, and which key brings it back. */
export function OffNotice({ plugin, keeps = true }: OffNoticeProps) {
  return (
    <Line>
      <Text color={THEME.warn}>{`  ◌ ${plugin} is off`}</Text>
      <Text color={THEME.dim}>{'  press '}</Text>
      <Text bold>E</Text>
      <Text color={THEME.dim}>{keeps ? ' to enable it; what was read before stays here' : ' to enable it'}</Text>
    </Line>
  );
}
