import { setTimeout as pause } from 'node:timers/promises';
import { parallelRate, serialRate } from '../wire/echo.ts';
import { hyperdht } from './subjects/hyperdht.ts';
import { itsgoin } from './subjects/itsgoin.ts';
import { libp2p } from './subjects/libp2p.ts';
import { tcp } from './subjects/tcp.ts';
import type { Contact, Link, Peer, Subject } from './subjects/subject.ts';

/*
 * One of the processes that are measured: it holds one end, or both, and does what the parent says.
 */

export const SUBJECTS = { itsgoin, hyperdht, libp2p, tcp } satisfies Record<string, Subject>;
export type SubjectName = keyof typeof SUBJECTS;
/** Those that are compared in everything. */
export const PEERS = ['itsgoin', 'hyperdht', 'libp2p'] as const satisfies readonly SubjectName[];
export type PeerName = (typeof PEERS)[number];

const PARALLEL = 50;
const MB = 1_000_000;
/** What the last connection leaves to do is no part of the next. */
const SETTLE_MS = 30;

/** What the parent may ask for, and what each gives. */
export interface Calls {
  start(options: { subject: SubjectName; host: string }): Promise<Contact>;
  /** Connects and sends the first request, as often as asked; the last connection stays. Medians, milliseconds. */
  connect(options: { contact: Contact; times: number }): Promise<{ connectMs: number; firstAnswerMs: number }>;
  /** Requests a second, one after another or 50 under way. */
  serial(options: { ms: number }): Promise<number>;
  parallel(options: { ms: number }): Promise<number>;
  /** Megabytes a second, as the reader gets them. */
  bulk(options: { bytes: number }): Promise<number>;
  /** Megabytes a second of one transfer, and the longest time in which none of its bytes came. */
  transfer(options: { bytes: number }): Promise<{ rate: number; stallMs: number }>;
  /** Requests one after another: how long they took, in milliseconds. */
  delays(options: { times: number }): Promise<{ medianMs: number; longestMs: number }>;
  /** Of this process so far, system time included: milliseconds. */
  cpu(options: object): Promise<number>;
}

/** The last that was started here dials. */
let peer: Peer | undefined;
let link: Link | undefined;

const CALLS: Calls = {
  async start({ subject, host }) {
    peer = await SUBJECTS[subject].start(host);
    return peer.contact;
  },
  async connect({ contact, times }) {
    const [connects, answers]: [number[], number[]] = [[], []];
    for (let time = 0; time < times; time++) {
      await link?.close();
      await pause(SETTLE_MS);
      const startMs = performance.now();
      link = await started(peer).connect(contact);
      connects.push(performance.now() - startMs);
      await link.request();
      answers.push(performance.now() - startMs);
    }
    return { connectMs: median(connects), firstAnswerMs: median(answers) };
  },
  serial: ({ ms }) => serialRate(() => started(link).request(), ms),
  parallel: ({ ms }) => parallelRate(() => started(link).request(), PARALLEL, ms),
  async bulk({ bytes }) {
    const startMs = performance.now();
    await started(link).fetch(bytes);
    return bytes / MB / ((performance.now() - startMs) / 1_000);
  },
  async transfer({ bytes }) {
    const startMs = performance.now();
    let lastMs = startMs;
    let stallMs = 0;
    await started(link).fetch(bytes, () => {
      const nowMs = performance.now();
      stallMs = Math.max(stallMs, nowMs - lastMs);
      lastMs = nowMs;
    });
    return { rate: bytes / MB / ((performance.now() - startMs) / 1_000), stallMs };
  },
  async delays({ times }) {
    const took: number[] = [];
    for (let time = 0; time < times; time++) {
      const startMs = performance.now();
      await started(link).request();
      took.push(performance.now() - startMs);
    }
    return { medianMs: median(took), longestMs: Math.max(...took) };
  },
  async cpu() {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1_000;
  },
};

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

function started<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('not started');
  return value;
}

if (import.meta.main) {
  process.on('message', async ({ id, call, options }: { id: number; call: keyof Calls; options: never }) => {
    try {
      process.send?.({ id, value: await CALLS[call](options) });
    } catch (error) {
      process.send?.({ id, error: String((error as Error).stack) });
    }
  });
  process.on('disconnect', () => process.exit());
}
