/** What was thrown, in words for a person. */
export function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
