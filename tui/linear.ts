import { createInterface } from 'node:readline/promises';
import { runCommandLine, splitWords } from './actions/command-line.ts';
import type { ControlClient } from './client.ts';
import { ago, shortId } from './format.ts';
import { Session } from './session.ts';
import type { Post } from './store/post.ts';

/** Posts read out at the start. */
const FIRST_POSTS = 10;

const HELP = `post <text>            publish
feed                   read the newest posts
people                 who is online
connect <target>       connect to a connect string
follow <target>        follow a node id or connect string
quit                   leave
Any other line is a command of the node, such as: plugin list`;

/**
 * The UI for screen readers and simple terminals: new posts and notices as plain lines, commands by
 * line. Nothing moves, nothing is drawn over, and no colour carries meaning.
 */
export async function runLinear(client: ControlClient, { stdout, stdin }: { stdout: NodeJS.WritableStream; stdin: NodeJS.ReadableStream }): Promise<void> {
  const session = new Session(client);
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
      const { notice: now, overlays } = session.shell.state.get();
      if (now !== undefined && now !== notice) say(now.hint === undefined ? now.text : `${now.text}. ${now.hint}`);
      notice = now;
      const top = overlays.at(-1);
      if (top?.kind !== 'report') return;
      say(`${top.title}\n${top.text}`);
      session.shell.close();
    }),
  ];
  const input = createInterface({ input: stdin });
  say('itsgoin, plain lines. Type help for the commands.');
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

async function run(session: Session, line: string, say: (line: string) => void): Promise<void> {
  const [verb = '', ...words] = splitWords(line);
  const rest = line.slice(verb.length).trim();
  const { backend, people } = session;
  if (verb === '') return;
  if (verb === 'help') return say(HELP);
  if (verb === 'feed') {
    await session.feed.refresh();
    for (const post of session.feed.state.get().posts.slice(0, FIRST_POSTS).reverse()) say(postLine(session, post));
  } else if (verb === 'people') {
    await people.refresh();
    for (const person of people.state.get().people) {
      const name = person.name ?? shortId(person.nodeId);
      say(`${name}, ${person.online ? 'online' : 'offline'}${person.followed ? '' : ', not followed'}${person.bio === '' ? '' : `: ${person.bio}`}`);
    }
  } else if (verb === 'post' && words[0] !== 'create' && words[0] !== 'delete' && words[0] !== 'list' && words[0] !== 'show') {
    await backend.call('post.create', { text: rest });
    say('Published.');
  } else if (verb === 'connect') {
    await backend.call('peer.connect', { target: rest }, 20_000);
    say('Connected.');
  } else if (verb === 'follow' && words.length === 1 && words[0] !== 'list') {
    await backend.call('follow.add', { target: rest }, 20_000);
    say('Followed.');
  } else {
    await runCommandLine(session, line);
    const asked = session.shell.top;
    // A line that was typed out in full is its own confirmation only with --yes; a slip must not delete.
    if (asked?.kind === 'confirm') {
      session.shell.close();
      say(`${asked.question} It was not done. Use the itsgoin command with --yes.`);
    }
  }
}

function postLine(session: Session, post: Post): string {
  const self = session.node.state.get();
  const name = post.authorName ?? (post.author === self.nodeId ? self.name || 'you' : session.people.find(post.author)?.name);
  return `${name ?? shortId(post.author)}, ${ago(post.timestampMs, session.clock.now())}, ${post.visibility}: ${post.text}`;
}
