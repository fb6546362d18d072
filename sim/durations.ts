const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** What a duration in a scenario looks like: `250ms`, `90s`, `1.5m`, `4h`, `8d`. */
export const DURATION_PATTERN = '^\\d+(\\.\\d+)?(ms|s|m|h|d)$';

/** Milliseconds of such a text, which its schema has checked. */
export function milliseconds(text: string): number {
  const [, number, unit] = /^([\d.]+)([a-z]+)$/.exec(text) ?? [];
  return Number(number) * (UNITS[unit ?? ''] ?? Number.NaN);
}

/** `1 h 05 m`, `12 m 30 s`, `42.0 s`: what a person reads. */
export function showDuration(ms: number): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1_000);
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} m ${two(seconds % 60)} s`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${two(minutes % 60)} m` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}
