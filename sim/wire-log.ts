import { createHash } from 'node:crypto';
import type { Node } from '../kernel/node.ts';
import type { TraceRecord } from '../kernel/wire/trace.ts';
import type { Machine } from '../kernel/testing/machine.ts';

export interface MessageTally {
  messages: number;
  bytes: number;
}

/** What a recording or a replay does with each line of the trace. */
export interface TraceSink {
  line(text: string): void;
  close(): void;
}

const PENDING_MAX_CHARS = 65_536;

/** Every frame of every node: the trace hash, and what each message type costs. */
export class WireLog {
  readonly #hash = createHash('sha256');
  readonly #tally = new Map<string, MessageTally>();
  readonly #sink: TraceSink | undefined;
  readonly #numbers = new Map<string, number>();
  #closed = false;
  /** Lines that the hash has not had yet: one update for many of them. */
  #pending = '';
  lines = 0;
  /** Frames that came in and were not taken, by outcome. */
  readonly refused = new Map<string, number>();

  constructor(sink?: TraceSink) {
    this.#sink = sink;
  }

  /** Names the machines in the trace by their numbers, which a person can follow. */
  name(machines: readonly Machine[]): void {
    for (const { nodeId, number } of machines) this.#numbers.set(nodeId, number);
  }

  watch(machine: Machine, node: Node): void {
    const { number } = machine;
    node.trace.subscribe((records, dropped) => {
      if (dropped > 0) this.#line(`${number} dropped ${dropped}`);
      for (const record of records) this.#record(number, record);
    });
  }

  /** What comes later, of nodes that are being stopped, is no part of the trace. */
  close(): void {
    this.#closed = true;
    this.#sink?.close();
  }

  /** Of everything so far. */
  digest(): string {
    this.#flush();
    return this.#hash.copy().digest('hex').slice(0, 32);
  }

  /** Sent frames by message name, the most bytes first. */
  tally(): readonly (readonly [string, MessageTally])[] {
    return [...this.#tally].sort(([a, x], [b, y]) => y.bytes - x.bytes || (a < b ? -1 : 1));
  }

  #record(number: number, { at_ms, direction, peer, code, name, bytes, outcome }: TraceRecord): void {
    const other = this.#numbers.get(peer) ?? peer;
    const arrow = direction === 'out' ? '>' : '<';
    this.#line(`${at_ms} ${number} ${arrow} ${other} ${code} ${name} ${bytes} ${outcome}`);
    if (direction === 'out') {
      let entry = this.#tally.get(name);
      if (entry === undefined) {
        entry = { messages: 0, bytes: 0 };
        this.#tally.set(name, entry);
      }
      entry.messages++;
      entry.bytes += bytes;
    } else if (outcome !== 'ok') {
      const key = `${name} ${outcome}`;
      this.refused.set(key, (this.refused.get(key) ?? 0) + 1);
    }
  }

  #line(text: string): void {
    if (this.#closed) return;
    this.lines++;
    this.#pending += `${text}\n`;
    if (this.#pending.length > PENDING_MAX_CHARS) this.#flush();
    this.#sink?.line(text);
  }

  #flush(): void {
    this.#hash.update(this.#pending);
    this.#pending = '';
  }
}
