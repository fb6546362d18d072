import { safeLine } from '../safe-text.ts';
import { list, numberOr, record } from './post.ts';
import type { Part, Row, Tone } from './rows.ts';

type Fields = Record<string, unknown>;
type Told = { readonly tone: Tone; readonly parts: readonly Part[] };

/** An event of the bus as a line of the activity log; `undefined` for what is of no interest there. */
export function activityRow(topic: string, atMs: number, event: unknown): Row | undefined {
  const known = TOPICS[topic];
  const told = known?.tell(record(event));
  return known === undefined || told === undefined ? undefined : { atMs, tag: known.tag, ...told };
}

const tell =
  (tone: Tone) =>
  (...parts: readonly Part[]): Told => ({ tone, parts });
const plain = tell('plain');
const good = tell('good');
const warn = tell('warn');
const bad = tell('bad');

const node = (raw: unknown): Part => ({ nodeId: safeLine(raw, 64) });
const peer = (event: Fields): Part => node(record(event.peer).nodeId);
const word = (raw: unknown): string => safeLine(raw, 80);
const number = (raw: unknown): number => numberOr(raw, 0);
const plural = (size: number, noun: string): string => `${size} ${noun}${size === 1 ? '' : 's'}`;
const took = (event: Fields): string => `in ${number(event.tookMs)} ms`;

/** What the log tells of, by topic. */
const TOPICS: Readonly<Record<string, { readonly tag: string; tell(event: Fields): Told | undefined }>> = {
  'connection/opened': {
    tag: 'link',
    tell: (event) =>
      plain(
        event.direction === 'inbound' ? 'connected by ' : 'connected to ',
        peer(event),
        ` at ${word(event.remoteAddr)}`,
      ),
  },
  'connection/closed': {
    tag: 'link',
    tell: (event) =>
      plain('disconnected ', peer(event), `: ${word(event.reason)}${event.byPeer === true ? ', by it' : ''}`),
  },
  'mesh/slot-changed': {
    tag: 'slot',
    tell: (event) =>
      event.slot === 'none'
        ? warn(peer(event), ` has no slot any more: ${word(event.reason)}`)
        : good(peer(event), ` has a ${word(event.slot)} slot: ${word(event.reason)}`),
  },
  'mesh/emptied': { tag: 'slot', tell: () => bad('the last mesh peer is gone') },
  'mesh/rebalanced': { tag: 'mesh', tell: rebalanced },
  'mesh/growth-tried': {
    tag: 'growth',
    tell: (event) => growthTold({ ...event, node_id: event.nodeId, took_ms: event.tookMs }),
  },
  'anchors/rejoin-ended': {
    tag: 'anchors',
    tell: (event) =>
      typeof event.anchor === 'string'
        ? good(
            node(event.anchor),
            ` answered (${word(event.cause)}), ${plural(number(event.connected), 'referral')} connected `,
            took(event),
          )
        : bad(`no anchor answered (${word(event.cause)}) `, took(event)),
  },
  'anchors/probe-ended': {
    tag: 'anchors',
    tell: (event) =>
      plain(
        `probe of ${word(event.address)}: ${word(event.outcome)}, ${word(event.reason)}; witness `,
        node(event.witness),
      ),
  },
  'anchors/declaration-changed': {
    tag: 'anchors',
    tell: (event) => plain(`this node is ${event.declared === true ? 'an' : 'no'} anchor: ${word(event.reason)}`),
  },
  'worm-search/searched': {
    tag: 'search',
    tell: (event) => {
      const { kind, id } = record(event.target);
      return searchTold({ ...event, kind, id, took_ms: event.tookMs, messages: record(event.cost).messages });
    },
  },
  'keep-alive/session-kept': {
    tag: 'session',
    tell: (event) => good('keeps ', node(event.target), ' findable by a session to ', node(event.host)),
  },
  'keep-alive/session-released': {
    tag: 'session',
    tell: (event) => plain('released the session for ', node(event.target), `: ${word(event.reason)}`),
  },
  'social/route-changed': {
    tag: 'contact',
    tell: (event) =>
      event.online === true
        ? good(node(event.nodeId), ` is online, ${word(event.reachMethod)}`)
        : plain(node(event.nodeId), ' is offline'),
  },
  'social/follower-changed': {
    tag: 'contact',
    tell: (event) => plain(node(event.nodeId), event.following === true ? ' follows you' : ' no longer follows you'),
  },
  'content/sync-finished': {
    tag: 'sync',
    tell: (event) =>
      plain('synced with ', node(event.peer), `: ${number(event.stored)} new, ${number(event.refused)} refused`),
  },
  'plugin/changed': {
    tag: 'plugin',
    tell: (event) => {
      const failed = event.outcome === 'refused' || event.outcome === 'rolled-back';
      const why = word(event.reason);
      return (failed ? bad : plain)(`${word(event.name)} ${word(event.outcome)}${why === '' ? '' : `: ${why}`}`);
    },
  },
};

const STEPS_TOLD_MAX = 8;

/** A rebalance tells its steps as words, some of them node ids. */
function rebalanced(event: Fields): Told {
  const steps = list(event.steps).slice(0, STEPS_TOLD_MAX);
  const parts = steps.flatMap((step, index): Part[] => {
    const [what = '', nodeId] = word(step).split(' ');
    const lead = `${index === 0 ? '' : ', '}${what}`;
    return nodeId === undefined ? [lead] : [`${lead} `, node(nodeId)];
  });
  return plain(`rebalance by ${word(event.cause)}: `, ...(parts.length === 0 ? ['nothing to do'] : parts));
}

/** One attempt of growth, of the event or of `growth explain`. */
export function growthTold(tried: Fields): Told {
  const [tone, outcome] =
    tried.outcome === 'joined'
      ? [good, ' joined the mesh']
      : tried.outcome === 'refused'
        ? [warn, ' has no slot for us']
        : [bad, ` not reached: ${word(tried.reason)}`];
  return tone(node(tried.node_id), `${outcome}; ${word(tried.why)}, ${number(tried.took_ms)} ms`);
}

/** One search that ended, of the event or of `worm explain`. */
export function searchTold(search: Fields): Told {
  const what: readonly Part[] =
    search.kind === 'node' ? [node(search.id)] : [`${word(search.kind)} ${word(search.id).slice(0, 8)}`];
  const cost = `${number(search.took_ms)} ms, ${plural(number(search.messages), 'message')}`;
  if (search.found !== true) return warn(...what, ` not found; ${cost}`);
  if (search.local === true) return good(...what, ' was known here');
  const holder: readonly Part[] = search.kind === 'node' ? [' found'] : [' found at ', node(search.holder)];
  return good(...what, ...holder, `; ${cost}`);
}
