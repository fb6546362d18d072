/** How numbers, times and ids read everywhere on the screen. */

/** `now`, `42s`, `2m`, `3h`, `5d`, then the date. A time in the future reads `now`. */
export function ago(atMs: number, nowMs: number): string {
  const seconds = Math.floor((nowMs - atMs) / 1_000);
  if (!Number.isFinite(seconds)) return '–';
  if (seconds < 5) return 'now';
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3_600)}h`;
  if (seconds < 7 * 86_400) return `${Math.floor(seconds / 86_400)}d`;
  return dateTime(atMs).slice(0, 10);
}

/** A time past within a sentence: `just now`, `42s ago`, `on 2026-02-24`. */
export function since(atMs: number, nowMs: number): string {
  const short = ago(atMs, nowMs);
  if (short === 'now') return 'just now';
  return /^\d+-/.test(short) ? `on ${short}` : `${short} ago`;
}

/** `42s`, `5m`, `2h 5m`, `3d 4h`. */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  if (seconds < 60) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}m`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours}h ${minutes % 60}m`;
  return `${Math.floor(hours / 24)}d ${hours % 24}h`;
}

/** Local time as `2026-02-24 17:03:12`; `–` for what is no time. */
export function dateTime(atMs: number): string {
  const date = new Date(atMs);
  if (Number.isNaN(date.getTime())) return '–';
  return new Date(atMs - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 19).replace('T', ' ');
}

/** Local time of day as `17:03:12`. */
export function timeOfDay(atMs: number): string {
  return dateTime(atMs).slice(11);
}

/** `812 B`, `4.2 kB`, `13 MB`. */
export function bytes(count: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'] as const;
  let value = count;
  let unit = 0;
  while (value >= 1_000 && unit < units.length - 1) {
    value /= 1_000;
    unit += 1;
  }
  return `${unit > 0 && value < 10 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

/** `1,204,331`. */
export function count(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

/** The first eight digits of an id: enough to tell people apart on one screen. */
export function shortId(id: string): string {
  return id.slice(0, 8);
}
