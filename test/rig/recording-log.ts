import type { Log, LogFields } from '../../kernel/index.ts';

export interface RecordingLog extends Log {
  readonly entries: { level: string; event: string; fields: LogFields }[];
  events(): string[];
}

/** A log that keeps everything for assertions. */
export function recordingLog(): RecordingLog {
  const entries: RecordingLog['entries'] = [];
  const write =
    (level: string) =>
    (event: string, fields: LogFields = {}): void =>
      void entries.push({ level, event, fields });
  return {
    entries,
    events: () => entries.map((entry) => entry.event),
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
  };
}
