/**
 * Every key of the terminal UI. The help page, the hints in the status line and the dispatch are made
 * from this table; a test refuses two meanings of one key where both would listen.
 */
export interface Binding {
  readonly scope: Scope;
  readonly keys: readonly string[];
  readonly action: string;
  /** One line for the help page. */
  readonly about: string;
  /** A word for the status line; bindings without one are only in the help. */
  readonly hint?: string;
}

export type Scope =
  | 'always'
  | 'tabs'
  | 'list'
  | 'posts'
  | 'people'
  | 'diagnostics'
  | 'settings'
  | 'overlay'
  | 'scroll'
  | 'post'
  | 'text'
  | 'compose'
  | 'prompt'
  | 'confirm';

export const BINDINGS = [
  { scope: 'always', keys: ['ctrl+c'], action: 'quit-now', about: 'Quit; asks once if a draft would be lost' },

  { scope: 'tabs', keys: ['?'], action: 'help', about: 'This help', hint: 'help' },
  {
    scope: 'tabs',
    keys: ['1', '2', '3', '4', '5', '6', '7', '8', '9'],
    action: 'go-to-tab',
    about: 'Go to the tab of that number',
  },
  { scope: 'tabs', keys: ['tab'], action: 'next-tab', about: 'Next tab' },
  { scope: 'tabs', keys: ['shift+tab'], action: 'previous-tab', about: 'Previous tab' },
  { scope: 'tabs', keys: ['n'], action: 'compose', about: 'Write a post', hint: 'write' },
  {
    scope: 'tabs',
    keys: [':'],
    action: 'command',
    about: 'Run any command, such as "post create --text hello"',
    hint: 'command',
  },
  { scope: 'tabs', keys: ['r'], action: 'refresh', about: 'Refresh this tab' },
  { scope: 'tabs', keys: ['u'], action: 'undo', about: 'Undo what the status line offers to undo' },
  { scope: 'tabs', keys: ['E'], action: 'enable-missing', about: 'Enable the plugin this tab needs, when it is off' },
  { scope: 'tabs', keys: ['q'], action: 'quit', about: 'Quit', hint: 'quit' },

  { scope: 'list', keys: ['j', 'down'], action: 'down', about: 'Down' },
  { scope: 'list', keys: ['k', 'up'], action: 'up', about: 'Up' },
  { scope: 'list', keys: ['g', 'home'], action: 'top', about: 'To the top' },
  { scope: 'list', keys: ['G', 'end'], action: 'bottom', about: 'To the end' },
  { scope: 'list', keys: ['space', 'pagedown', 'ctrl+d'], action: 'page-down', about: 'A page down' },
  { scope: 'list', keys: ['b', 'pageup', 'ctrl+u'], action: 'page-up', about: 'A page up' },
  { scope: 'list', keys: ['enter'], action: 'open', about: 'Open the selected item, with its details', hint: 'open' },

  { scope: 'posts', keys: ['/'], action: 'filter', about: 'Show only posts with these words', hint: 'filter' },
  { scope: 'posts', keys: ['f'], action: 'follow-author', about: 'Follow or unfollow the author' },
  { scope: 'posts', keys: ['D'], action: 'delete-post', about: 'Delete your selected post everywhere' },

  { scope: 'people', keys: ['c'], action: 'connect', about: 'Connect to a connect string', hint: 'connect' },
  { scope: 'people', keys: ['a'], action: 'follow-new', about: 'Follow a node id or connect string', hint: 'add' },
  {
    scope: 'people',
    keys: ['f'],
    action: 'follow-person',
    about: 'Follow or unfollow the selected person',
    hint: 'follow',
  },
  { scope: 'people', keys: ['/'], action: 'filter', about: 'Show only people with these words' },

  { scope: 'diagnostics', keys: ['l', 'right'], action: 'next-pane', about: 'Next pane', hint: 'panes' },
  { scope: 'diagnostics', keys: ['h', 'left'], action: 'previous-pane', about: 'Previous pane' },
  { scope: 'diagnostics', keys: ['e'], action: 'enable-plugin', about: 'Enable the selected plugin', hint: 'enable' },
  {
    scope: 'diagnostics',
    keys: ['d'],
    action: 'disable-plugin',
    about: 'Disable the selected plugin',
    hint: 'disable',
  },
  {
    scope: 'diagnostics',
    keys: ['R'],
    action: 'reload-plugin',
    about: 'Reload the code of the selected plugin',
    hint: 'reload',
  },
  {
    scope: 'diagnostics',
    keys: ['p'],
    action: 'pause',
    about: 'Hold activity, traffic and log still; again: let run',
  },

  {
    scope: 'settings',
    keys: ['y'],
    action: 'copy',
    about: "Copy the selected value to the terminal's clipboard",
    hint: 'copy',
  },

  { scope: 'overlay', keys: ['esc', 'q'], action: 'close', about: 'Close', hint: 'close' },
  { scope: 'scroll', keys: ['j', 'down'], action: 'scroll-down', about: 'Down', hint: 'scroll' },
  { scope: 'scroll', keys: ['k', 'up'], action: 'scroll-up', about: 'Up' },
  { scope: 'scroll', keys: ['space', 'pagedown'], action: 'scroll-page-down', about: 'A page down' },
  { scope: 'scroll', keys: ['b', 'pageup'], action: 'scroll-page-up', about: 'A page up' },
  { scope: 'scroll', keys: ['g', 'home'], action: 'scroll-top', about: 'To the top' },
  { scope: 'scroll', keys: ['G', 'end'], action: 'scroll-bottom', about: 'To the end' },
  { scope: 'post', keys: ['D'], action: 'delete-open-post', about: 'Delete this post everywhere, if it is yours' },

  { scope: 'text', keys: ['left', 'ctrl+b'], action: 'cursor-left', about: 'One character left' },
  { scope: 'text', keys: ['right', 'ctrl+f'], action: 'cursor-right', about: 'One character right' },
  { scope: 'text', keys: ['alt+b', 'ctrl+left', 'alt+left'], action: 'word-left', about: 'One word left' },
  { scope: 'text', keys: ['alt+f', 'ctrl+right', 'alt+right'], action: 'word-right', about: 'One word right' },
  { scope: 'text', keys: ['home', 'ctrl+a'], action: 'line-start', about: 'To the start of the line' },
  { scope: 'text', keys: ['end', 'ctrl+e'], action: 'line-end', about: 'To the end of the line' },
  { scope: 'text', keys: ['backspace', 'ctrl+h'], action: 'delete-back', about: 'Delete the character before' },
  { scope: 'text', keys: ['delete', 'ctrl+d'], action: 'delete-forward', about: 'Delete the character after' },
  { scope: 'text', keys: ['ctrl+w', 'alt+backspace'], action: 'delete-word', about: 'Delete the word before' },
  { scope: 'text', keys: ['ctrl+u'], action: 'delete-to-start', about: 'Delete to the start of the line' },
  { scope: 'text', keys: ['ctrl+k'], action: 'delete-to-end', about: 'Delete to the end of the line' },

  { scope: 'compose', keys: ['enter', 'ctrl+s'], action: 'publish', about: 'Publish', hint: 'publish' },
  { scope: 'compose', keys: ['ctrl+j', 'alt+enter'], action: 'new-line', about: 'New line', hint: 'new line' },
  { scope: 'compose', keys: ['up'], action: 'cursor-up', about: 'One line up' },
  { scope: 'compose', keys: ['down'], action: 'cursor-down', about: 'One line down' },
  { scope: 'compose', keys: ['esc'], action: 'close', about: 'Close and keep the draft', hint: 'keep draft' },
  { scope: 'compose', keys: ['ctrl+x'], action: 'discard', about: 'Throw the draft away', hint: 'discard' },

  { scope: 'prompt', keys: ['enter'], action: 'submit', about: 'Go', hint: 'go' },
  { scope: 'prompt', keys: ['esc'], action: 'close', about: 'Cancel', hint: 'cancel' },

  { scope: 'confirm', keys: ['y'], action: 'yes', about: 'Yes', hint: 'yes' },
  { scope: 'confirm', keys: ['n', 'esc', 'q'], action: 'close', about: 'No', hint: 'no' },
] as const satisfies readonly Binding[];

export type Action = (typeof BINDINGS)[number]['action'];

/** Titles of the help page, in its order. */
export const SCOPE_TITLES: Readonly<Record<Scope, string>> = {
  tabs: 'Everywhere',
  list: 'In lists',
  posts: 'Feed and My Posts',
  people: 'People',
  diagnostics: 'Diagnostics',
  settings: 'Settings',
  compose: 'While writing a post',
  text: 'In text fields',
  prompt: 'In a question for text',
  overlay: 'In an open view',
  scroll: 'In a long view',
  post: 'In an open post',
  confirm: 'In a yes-or-no question',
  always: 'Always',
};

/** The binding of a key where these scopes listen. */
export function bindingOf(scopes: readonly Scope[], key: string): (typeof BINDINGS)[number] | undefined {
  return BINDINGS.find(
    (binding) => scopes.includes(binding.scope) && (binding.keys as readonly string[]).includes(key),
  );
}

/** What the status line offers: the hinted bindings of these scopes, in the order of the scopes. */
export function hintsOf(scopes: readonly Scope[]): { key: string; hint: string }[] {
  const table: readonly Binding[] = BINDINGS;
  return scopes.flatMap((scope) =>
    table
      .filter((binding) => binding.scope === scope && binding.hint !== undefined)
      .map((binding) => ({ key: binding.keys[0] ?? '', hint: binding.hint ?? '' })),
  );
}
