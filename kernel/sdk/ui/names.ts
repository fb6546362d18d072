/** Names that both sides of the terminal UI's points know: the kernel that checks, and the screen. */

/** Panes of Diagnostics that the screen itself has; contributed ones stand after the first. */
export const OWN_PANES = ['Peers', 'Activity', 'Plugins', 'Traffic', 'Log'] as const;

/** The rows of figures at the head of Diagnostics, in their order; `links` is one line of text. */
export const FIGURE_ROWS = ['connections', 'reach', 'node', 'work', 'links'] as const;
