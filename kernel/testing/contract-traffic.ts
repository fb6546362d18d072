import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { seededRandom } from '../clock/random.ts';
import { entryOf } from '../lifecycle/loader.ts';
import type { AnyMessage } from '../sdk/message.ts';
import type { AnyPlugin } from '../sdk/plugin.ts';
import { REFUSED_CODE } from '../wire/catalogue.ts';
import { FRAME_MAX_BYTES } from '../wire/limits.ts';
import type { TraceRecord } from '../wire/trace.ts';
import { assertWell, inNetwork } from './contract-network.ts';
import { rawFrame } from './frames.ts';
import type { Answer, HostileConnection } from './hostile-peer.ts';
import { MUTATIONS, type Sample } from './mutations.ts';
import { sampleOf } from './samples.ts';
import { removeDirectory, scratchDirectory } from './scratch.ts';
import type { TestNetwork } from './test-network.ts';

const SWAPS = 5;
const WAY_MS = 5;
const HANDLER_MS = 8;
/** In place of the answer to a notice. */
const NOTHING = -1;
/** Times that every mutation is made of every message. */
const MUTATION_ROUNDS = 3;
/** Points that close a connection, and some: each malformed frame costs one (docs/limits.md). */
const ENOUGH_FRAMES = 150;
/** How a request ends, or what the trace says of a frame, when it reached no handler. */
const LOST = ['unsupported', 'interrupted', 'reset', 'shutting-down', 'transport/lost'];
const BLAMED = ['malformed', 'too-large'];

type Bodies = Readonly<Record<string, unknown>>;

/** Peers ask before and while the plugin is swapped, again and again: every frame reaches a handler, every request is answered. */
export async function swapUnderLoad(subject: string, bodies: Bodies = {}): Promise<void> {
  const scratch = scratchDirectory('itsgoin-contract-');
  try {
    await inNetwork(slowed(subject, scratch), { nodes: 1, link: { latencyMs: WAY_MS } }, async (net, plugin) => {
      const all = samplesOf(plugin, bodies);
      const frames = recordFrames(net);
      const answers: Promise<Answer>[] = [];
      for (let swap = 0; swap < SWAPS; swap++) {
        const early = await writers(net, all);
        const late = await writers(net, all);
        answers.push(...early.map((write) => write()));
        await net.advance(WAY_MS + swap);
        const swapped = net.node(0).reload(plugin.name);
        answers.push(...late.map((write) => write()));
        assert.equal((await swapped).outcome, 'committed');
      }
      const lost = (await Promise.all(answers)).map(inShort).filter((answer) => LOST.includes(answer));
      assert.deepEqual(lost, [], 'requests without an answer');
      await net.until(() => frames().length >= answers.length, { what: `the end of ${answers.length} frames` });
      assert.deepEqual(
        frames().filter(({ outcome }) => LOST.includes(outcome)),
        [],
        'frames that reached no handler',
      );
      assertWell(net.node(0), plugin.name);
    });
  } finally {
    removeDirectory(scratch);
  }
}

/** The same plugin whose handlers take a while, so that a swap finds some at work and holds what comes meanwhile. */
function slowed(subject: string, directory: string): string {
  const path = join(directory, 'slowed.mjs');
  writeFileSync(
    path,
    `import plugin from ${JSON.stringify(pathToFileURL(entryOf(subject)).href)};
     export default {
       ...plugin,
       async setup(ctx) {
         const parts = await plugin.setup(ctx);
         const slow = (handler) => async (...call) => {
           await ctx.clock.sleep(${HANDLER_MS});
           return handler(...call);
         };
         const handlers = Object.entries(parts.handlers ?? {}).map(([name, handler]) => [name, slow(handler)]);
         return Object.assign(Object.create(parts), parts, { handlers: Object.fromEntries(handlers) });
       },
     };`,
  );
  return path;
}

/** One for each message, over a connection of its own: a plugin may close one whose peer makes no sense to it. */
async function writers(net: TestNetwork, all: readonly Sample[]): Promise<(() => Promise<Answer>)[]> {
  const writers: (() => Promise<Answer>)[] = [];
  for (const { message, frame } of all) {
    const line = await connect(net);
    writers.push(async () => {
      if (message.stream === 'bi') return line.ask(frame);
      await line.tell(frame);
      return { code: NOTHING, body: undefined };
    });
  }
  return writers;
}

/** No bytes bring a plugin down, or keep others from being served; bytes that no working peer sends cost points. */
export function badBytes(subject: string, bodies: Bodies = {}): Promise<void> {
  return inNetwork(subject, { nodes: 1 }, async (net, plugin) => {
    const node = net.node(0);
    const all = samplesOf(plugin, bodies);
    const random = seededRandom(`bytes/${plugin.name}`);
    const before = await answersOf(net, all);
    const frames = recordFrames(net);
    for (const sample of all) {
      for (const [kind, bytes] of Object.entries(blamable(sample, random.bytes(64)))) {
        const { line, id } = await connectAs(net);
        await write(line, sample.message, bytes, true);
        await net.until(() => frames().some(({ peer, outcome }) => peer === id && BLAMED.includes(outcome)), {
          what: `${kind} bytes of ${sample.message.name} are blamed on their sender`,
          withinMs: 1_000,
        });
      }
    }
    for (let round = 0; round < MUTATION_ROUNDS; round++) {
      for (const mutate of Object.values(MUTATIONS)) {
        const line = await connect(net);
        for (const sample of all) {
          const { bytes, fin = true } = mutate(sample, random);
          await write(line, sample.message, bytes, fin);
        }
      }
    }
    // Whatever was left open comes to its deadline.
    await net.advance(60_000);
    assertWell(node, plugin.name);
    assert.deepEqual(
      node.log().filter(({ event }) => event === 'handler-failed' || event === 'bad-answer'),
      [],
      'handlers that threw what is no error of theirs',
    );
    await closesWhoGoesOn(net, all);
    assert.deepEqual(await answersOf(net, all), before, 'answers to other peers, before and after');
  });
}

/** Bytes that only a broken or hostile peer sends, and that show as such before any handler runs. */
function blamable({ code, frame, message }: Sample, noise: Uint8Array): Record<string, Uint8Array> {
  const tooMany = message.code === undefined ? FRAME_MAX_BYTES + 1 : message.maxBytes + 1;
  return {
    truncated: frame.subarray(0, frame.length - 1),
    oversized: rawFrame(code, '', tooMany),
    random: rawFrame(code, noise),
  };
}

async function closesWhoGoesOn(net: TestNetwork, [first]: readonly Sample[]): Promise<void> {
  if (first === undefined) return;
  const line = await connect(net);
  const bytes = rawFrame(first.code, '', FRAME_MAX_BYTES + 1);
  for (let count = 0; count < ENOUGH_FRAMES; count++) await write(line, first.message, bytes, true);
  await net.until(() => line.closed?.reason === 'misbehaviour', { what: 'the connection of a hostile peer is closed' });
}

/** How the requests of a peer that never did any harm end, in short and by message. */
async function answersOf(net: TestNetwork, all: readonly Sample[]): Promise<Record<string, string>> {
  const answers: Record<string, string> = {};
  for (const { message, frame } of all) {
    if (message.stream === 'bi') answers[message.name] = inShort(await (await connect(net)).ask(frame));
  }
  return answers;
}

/** `answer`, the code of a refusal, or why the connection was closed. */
function inShort(answer: Answer): string {
  if ('closed' in answer) return answer.closed;
  if ('reset' in answer) return 'reset';
  if (answer.code !== REFUSED_CODE) return 'answer';
  return String((answer.body as { readonly code?: unknown }).code);
}

async function write(line: HostileConnection, message: AnyMessage, bytes: Uint8Array, fin: boolean): Promise<void> {
  if (line.closed !== undefined) return;
  (await line.open(message.stream)).write(Uint8Array.from(bytes), fin);
}

async function connect(net: TestNetwork): Promise<HostileConnection> {
  return (await connectAs(net)).line;
}

async function connectAs(net: TestNetwork): Promise<{ line: HostileConnection; id: string }> {
  const peer = await net.hostilePeer();
  return { line: await peer.connect(net.node(0)), id: peer.id };
}

function samplesOf(plugin: AnyPlugin, bodies: Bodies): Sample[] {
  return Object.values<AnyMessage>(plugin.messages ?? {}).map((message) => {
    const sample = Object.hasOwn(bodies, message.name) ? sampleOf(message, bodies[message.name]) : sampleOf(message);
    assert.ok(sample, `no body fits the schema of ${message.name}: give one in "samples"`);
    return sample;
  });
}

/** What has become of the frames of peers, from now on. */
function recordFrames(net: TestNetwork): () => readonly TraceRecord[] {
  const records: TraceRecord[] = [];
  net.node(0).kernel.trace.subscribe((batch) => {
    records.push(...batch.filter(({ direction }) => direction === 'in'));
  });
  return () => records;
}
