import { createInterface } from 'node:readline/promises';
import type { Terminal } from '../cli/terminal.ts';
import { runOn } from './actions/command-line.ts';
import { refreshDiagnostics } from './actions/diagnostics.ts';
import { reachBadgeOf } from './components/badge.ts';
import { ago, shortId, timeOfDay } from './format.ts';
import { safeText } from '../kernel/sdk/kit/safe-text.ts';
import type { UiSession } from './session.ts';
import type { Person } from './store/people.ts';
import type { Post } from './store/post.ts';
import { rowText, type Cell, type Row } from './store/rows.ts';

/** Posts read out at the start. */
const FIRST_POSTS = 10;
/** Lines of the activity log read out. */
const ACTIVITY_LINES = 20;
/** Rows read out of each contributed pane. */
const PANE_LINES = 50;

const HELP = `say <text>   publish it
feed         read the newest posts
people       who is online
diagnostics  figures of the node, its peers, and the panes of plugins
activity     what happened of late, in the order it happened
quit         leave
Any other line is a command of the node, such as: peer connect, follow add, plugin list`;

/**
 * The UI for screen readers and simple terminals: new posts and notices as plain lines, commands by
 * line. Nothing moves, nothing is drawn over, and no colour carries meaning.
 */
export async function runLinear(
  session: UiSession,
  stdout: NodeJS.WritableStream,
  stdin: NodeJS.ReadableStream,
): Promise<void> {
  const say = (line: string) => void stdout.write(`${line}\n`);
  const told = new Set<string>();
  const tellPosts = () => {
    const posts = session.feed.state.get().posts;
    const fresh = posts.slice(0, told.size === 0 ? FIRST_POSTS : 50).filter(({ id }) => !told.has(id));
    for (const post of fresh.reverse()) say(postLine(session, post));
    for (const { id } of posts) told.add(id);
  };
  let link = session.backend.state.get().link;
  let notice = session.shell.state.get().notice;
  const stops = [
    session.feed.state.subscribe(tellPosts),
    session.backend.state.subscribe(() => {
      const now = session.backend.state.get().link;
      if (now !== link) say(now === 'lost' ? 'The node is not reachable; trying again.' : 'Connected to the node.');
      link = now;
    }),
    session.shell.state.subscribe(() => {
      const { notice: now } = session.shell.state.get();
      if (now !== undefined && now !== notice) say(now.hint === undefined ? now.text : `${now.text}. ${now.hint}`);
      notice = now;
    }),
  ];
  const input = createInterface({ input: stdin });
  say('itsgoin, plain lines. Type help for the commands.');
  session.quit = () => input.close();
  session.start();
  try {
    for await (const line of input) {
      if (line.trim() === 'quit') break;
      await session.attempt(() => run(session, line.trim(), say));
    }
  } finally {
    input.close();
    for (const stop of stops) stop();
    session.stop();
  }
}

async function run(session: UiSession, line: string, say: (line: string) => void): Promise<void> {
  const [verb = '', ...words] = line.split(/\s+/);
  const { backend, people } = session;
  const rest = line.slice(verb.length).trim();
  if (verb === '') return;
  if (verb === 'help' && words.length === 0) return say(HELP);
  if (line === 'feed') {
    await session.feed.refresh();
    for (const post of session.feed.state.get().posts.slice(0, FIRST_POSTS).reverse()) say(postLine(session, post));
  } else if (line === 'people') {
    await people.refresh();
    for (const person of people.state.get().people) say(personLine(person));
  } else if (line === 'diagnostics') {
    await session.contributions.refresh();
    await Promise.all([refreshDiagnostics(session), session.diagnostics.panes.refreshAll()]);
    for (const text of diagnosticsLines(session)) say(text);
  } else if (line === 'activity') {
    const { activity } = session.diagnostics.lines.state.get();
    for (const row of activity.slice(0, ACTIVITY_LINES).reverse()) say(rowLine(session, row));
    if (activity.length === 0) say('Nothing happened yet.');
  } else if (verb === 'say') {
    await backend.call('post.create', { text: rest });
    say('Published.');
  } else {
    await runOn(session, lineTerminal(say), line);
  }
}

function* diagnosticsLines(session: UiSession): Generator<string> {
  const { diagnostics } = session;
  const { peers } = diagnostics.state.get();
  for (const [label, value] of diagnostics.figures.state.get().rows.flat()) yield `${label}: ${value}`;
  yield `peers: ${peers.length}`;
  for (const { nodeId, reach, kind, remoteAddr } of peers) {
    const link = kind === '' ? 'not connected' : `${kind}, ${remoteAddr}`;
    const name = session.nameOf(nodeId);
    const who = name === shortId(nodeId) ? name : `${name}, ${shortId(nodeId)}`;
    yield `${who}, ${reachBadgeOf(reach).text}, ${link}`;
  }
  const { titles, rows } = diagnostics.panes.state.get();
  for (const title of titles) {
    yield `${title}:`;
    for (const row of rows.get(title)?.slice(0, PANE_LINES) ?? []) yield rowLine(session, row);
  }
}

function rowLine(session: UiSession, row: Row): string {
  if (row.cells !== undefined) return cellsLine(session, row.cells);
  if (row.parts.length === 0) return `${row.tag}:`;
  const when = row.atMs === undefined ? '' : `${timeOfDay(row.atMs)}, `;
  return `${when}${row.tag === '' ? '' : `${row.tag}: `}${rowText(row, session.nameOf)}`;
}

function cellsLine(session: UiSession, cells: readonly Cell[]): string {
  return cells
    .map(({ parts }) => parts.map((part) => (typeof part === 'string' ? part : session.nameOf(part.nodeId))).join(''))
    .join(', ');
}

/** A slip must not delete: a command that asks wants `--yes` typed with it. */
function lineTerminal(say: (line: string) => void): Terminal {
  const print = (text: string) => say(safeText(text));
  return {
    interactive: false,
    columns: 100,
    wide: false,
    out: print,
    err: print,
    ask: () => Promise.reject(new Error('Not asked here')),
    status: () => {},
  };
}

function personLine({ name, nodeId, online, followed, bio }: Person): string {
  return `${name ?? shortId(nodeId)}, ${online ? 'online' : 'offline'}${followed ? '' : ', not followed'}${bio === '' ? '' : `: ${bio}`}`;
}

function postLine(session: UiSession, post: Post): string {
  const self = session.node.state.get();
  const name =
    post.authorName ?? (post.author === self.nodeId ? self.name || 'you' : session.people.find(post.author)?.name);
  return `${name ?? shortId(post.author)}, ${ago(post.timestampMs, session.clock.now())}, ${post.visibility}: ${post.text}`;
}
