import { basename } from 'node:path';
import { run } from 'node:test';
import { pathToFileURL } from 'node:url';

/** Runs the test files it is given, by Node's own runner, and tells its parent of each test that ends. */

const PROBLEM_MAX_CHARS = 4_000;
/** Gives tests `itsgoin` and `itsgoin/testing` wherever they lie. */
const DOORS = new URL(`./test-doors.${import.meta.url.endsWith('.js') ? 'js' : 'ts'}`, import.meta.url).href;

/** One test that ended, as its parent is told. */
export interface TestEnd {
  readonly name: string;
  readonly file: string;
  readonly outcome: 'passed' | 'failed' | 'skipped';
  readonly ms: number;
  /** Where it failed, as `file:line:column`; of one that did not, null. */
  readonly place: string | null;
  readonly problem: string | null;
}

export type TestEvent = TestEnd | { readonly print: string };

interface Ended {
  readonly name: string;
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
  readonly skip?: string | boolean;
  readonly todo?: string | boolean;
  readonly details: { readonly duration_ms: number; readonly type?: string; readonly error?: Failure };
}
type Failure = Error & { readonly failureType?: string; readonly cause?: unknown };

const files = process.argv.slice(2);
const left = new AbortController();
for (const event of ['disconnect', 'message']) process.once(event, () => left.abort());
const events = run({
  ...{ files, concurrency: true, signal: left.signal },
  execArgv: ['--import', DOORS],
});
for await (const { type, data } of events as AsyncIterable<{ type: string; data: unknown }>) {
  if (left.signal.aborted) break;
  if (type === 'test:stdout' || type === 'test:stderr') tell({ print: (data as { message: string }).message });
  if (type === 'test:pass' || type === 'test:fail') {
    const end = endOf(type, data as Ended);
    if (end !== undefined) tell(end);
  }
}
process.disconnect?.();

function tell(event: TestEvent): void {
  process.send?.(event);
}

/** Suites, and tests that failed because one inside them did, say nothing of their own. */
function endOf(type: string, { name, file = '', line, column, skip, todo, details }: Ended): TestEnd | undefined {
  const { error, duration_ms: ms } = details;
  if (error?.failureType === 'subtestsFailed' || (details.type === 'suite' && error === undefined)) return undefined;
  const common = { name: name === file ? basename(file) : name, file, ms: Math.round(ms) };
  const isLeftOut = [skip, todo].some((given) => given !== undefined && given !== false);
  if (isLeftOut) return { ...common, outcome: 'skipped', place: null, problem: null };
  if (type === 'test:pass') return { ...common, outcome: 'passed', place: null, problem: null };
  const cause = error?.cause;
  // A file that fails as a whole did not load or ended its process.
  if (name === file) return { ...common, outcome: 'failed', place: null, problem: `${cause ?? error?.message}` };
  const [text, stack] = cause instanceof Error ? [cause.message, String(cause.stack)] : [String(cause), ''];
  const place = placeIn(stack, file) ?? `${file}:${line}:${column}`;
  return { ...common, outcome: 'failed', place, problem: text.slice(0, PROBLEM_MAX_CHARS) };
}

/** The first frame of a stack that lies in the test file. */
function placeIn(stack: string, file: string): string | undefined {
  const at = `${pathToFileURL(file).href}:`;
  const frame = stack.split('\n').find((line) => line.includes(at));
  const [place] = /^\d+:\d+/.exec(frame?.slice(frame.indexOf(at) + at.length) ?? '') ?? [];
  return place === undefined ? undefined : `${file}:${place}`;
}
