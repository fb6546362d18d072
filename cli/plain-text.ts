/** Text from elsewhere without what a terminal would obey: control characters and escape sequences. */
export function plain(text: string, keepLines = false): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is to go
  return text.replace(keepLines ? /[\x00-\x08\x0b-\x1f\x7f-\x9f]/g : /[\x00-\x1f\x7f-\x9f]/g, '');
}
