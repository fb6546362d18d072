import { safeLine, safeText, TEXT_MAX_CHARS } from '../../kernel/sdk/kit/safe-text.ts';

/** A post as the screen shows it: every string is safe to paint. */
export interface Post {
  readonly id: string;
  readonly author: string;
  readonly authorName: string | undefined;
  readonly timestampMs: number;
  readonly text: string;
  readonly cut: boolean;
  readonly visibility: string;
}

/** Reads one entry of `feed list`; `undefined` when it has no id or author. */
export function readPost(raw: unknown): Post | undefined {
  const from = record(raw);
  if (typeof from.id !== 'string' || typeof from.author !== 'string') return undefined;
  return {
    id: safeLine(from.id),
    author: safeLine(from.author),
    authorName: safeLine(from.author_name ?? from.name, 64) || undefined,
    timestampMs: numberOr(from.timestamp_ms, 0),
    text: safeText(from.text),
    cut: typeof from.text === 'string' && from.text.length > TEXT_MAX_CHARS,
    visibility: safeLine(from.visibility, 24) || 'public',
  };
}

/** Feed order: newest first, then by id (design section 7). */
export function comparePosts(a: Post, b: Post): number {
  return b.timestampMs - a.timestampMs || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
}

/** An object's fields, or none for what is no object. */
export function record(raw: unknown): Record<string, unknown> {
  return typeof raw === 'object' && raw !== null && !Array.isArray(raw) ? (raw as Record<string, unknown>) : {};
}

export function list(raw: unknown): unknown[] {
  return Array.isArray(raw) ? raw : [];
}

export function numberOr<T>(raw: unknown, otherwise: T): number | T {
  return typeof raw === 'number' && Number.isFinite(raw) ? raw : otherwise;
}
