import { Text } from 'ink';
import { identicon } from '../identicon.ts';

/** One of the two lines of a person's picture. */
export function IdenticonLine({ nodeId, line }: { readonly nodeId: string; readonly line: 0 | 1 }) {
  const picture = identicon(nodeId);
  return <Text color={picture.color}>{picture.lines[line]}</Text>;
}
