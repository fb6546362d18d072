import { safeLine } from '../safe-text.ts';

/** What went wrong, as the status line shows it. */
export interface Problem {
  readonly code: string;
  readonly message: string;
  readonly hint: string | undefined;
}

/** Reads anything thrown by a control client. */
export function problemOf(error: unknown): Problem {
  const from = (typeof error === 'object' && error !== null ? error : {}) as Record<string, unknown>;
  const code = typeof from.code === 'string' ? from.code : 'unknown';
  const message =
    code === 'control/cancelled'
      ? 'the node did not answer in time'
      : safeLine(from.message) || safeLine(String(error));
  return { code, message, hint: safeLine(from.hint) || undefined };
}

/** The plugin that answers commands of a noun; what to switch on when they are unknown. */
const PLUGIN_OF_NOUN: Readonly<Record<string, string>> = {
  feed: 'content',
  post: 'content',
  follow: 'social',
  profile: 'social',
  peer: 'mesh',
  mesh: 'mesh',
  growth: 'mesh',
  rebalance: 'mesh',
  anchor: 'anchors',
  worm: 'worm-search',
  search: 'worm-search',
};

/** The plugin whose absence explains `problem`, if that is the explanation. */
export function pluginOff(problem: Problem, method: string): string | undefined {
  const absent = problem.code === 'command/unknown-command' || problem.code === 'lifecycle/service-off';
  return absent ? PLUGIN_OF_NOUN[method.split('.')[0] ?? ''] : undefined;
}
