/**
 * The one palette: a dark theme in mid tones. Body text keeps the terminal's own foreground, and every
 * painted surface sets both its colours, so that the screen stays readable on a light terminal too.
 */
export const THEME = {
  accent: '#7aa2f7',
  good: '#7fc8a9',
  warn: '#e0af68',
  bad: '#e06c75',
  dim: '#7d8590',
  faint: '#4b5263',
  surface: '#232733',
  onSurface: '#d7dae0',
} as const;

/** Hues of identicons and names; chosen to be told apart on dark and light ground. */
export const HUES = [
  '#7aa2f7',
  '#7fc8a9',
  '#e0af68',
  '#e06c75',
  '#bb9af7',
  '#56b6c2',
  '#d19a66',
  '#98c379',
  '#c678dd',
  '#61afef',
] as const;
