import type { Key } from 'ink';
import { graphemes } from './wrap.ts';

/** What a key press or a chunk of typed text means: named keys, and text to insert as it is. */
export type KeyPress = { readonly key: string } | { readonly text: string };

/**
 * Turns Ink's description of input into the names that the key table uses. A terminal may deliver
 * several typed characters at once (fast typing, scripts); each becomes its own key press.
 */
export function keyPresses(input: string, key: Key): KeyPress[] {
  const name = specialName(key);
  if (name !== undefined) {
    const shift = key.shift && name === 'tab' ? 'shift+' : '';
    return [{ key: `${key.ctrl ? 'ctrl+' : ''}${key.meta && name !== 'esc' ? 'alt+' : ''}${shift}${name}` }];
  }
  if (key.ctrl) return input === '' ? [] : [{ key: `ctrl+${input}` }];
  if (key.meta) return input === '' ? [] : [{ key: input === '\r' ? 'alt+enter' : `alt+${input}` }];
  return graphemes(input).flatMap(characterPress);
}

function specialName(key: Key): string | undefined {
  if (key.upArrow) return 'up';
  if (key.downArrow) return 'down';
  if (key.leftArrow) return 'left';
  if (key.rightArrow) return 'right';
  if (key.pageUp) return 'pageup';
  if (key.pageDown) return 'pagedown';
  if (key.home) return 'home';
  if (key.end) return 'end';
  if (key.return) return 'enter';
  if (key.tab) return 'tab';
  if (key.backspace) return 'backspace';
  if (key.delete) return 'delete';
  if (key.escape) return 'esc';
  return undefined;
}

function characterPress(character: string): KeyPress[] {
  if (character === '\r' || character === '\r\n') return [{ key: 'enter' }];
  if (character === '\n') return [{ key: 'ctrl+j' }];
  if (character === '\t') return [{ key: 'tab' }];
  if (character === '\u007f') return [{ key: 'backspace' }];
  if (character === ' ') return [{ key: 'space' }];
  return /^\p{Cc}/u.test(character) ? [] : [{ text: character }];
}
