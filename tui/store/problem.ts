import { safeLine } from '../../kernel/sdk/kit/safe-text.ts';

/** What went wrong, as the status line shows it. */
export interface Problem {
  readonly code: string;
  readonly message: string;
  readonly hint: string | undefined;
}

/** Whether nobody answers this command now: its plugin is off, or there is none that has it. */
export function isAbsent({ code }: Problem): boolean {
  return code === 'command/unknown-command' || code === 'lifecycle/service-off';
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
