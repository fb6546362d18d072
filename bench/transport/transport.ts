import { type Exchanges, measureFullStack } from '../wire/full-stack.ts';
import { engineClasses } from './engine-classes.ts';
import { rawDriver } from './raw-driver.ts';
import type { Subject } from './subject.ts';

const MB = 1_000_000;
const BULK_BYTES = 50 * 1024 * 1024;
/** The engine's classes carry about 2 MB/s: their rate shows in less. */
const REFERENCE_BULK_BYTES = 4 * 1024 * 1024;
const ROUNDS = 3;
const ROUND_MS = 1_500;
const PARALLEL = 50;
const REQUEST = Buffer.from(JSON.stringify({ id: 'a'.repeat(64), n: 12_345, ok: true, at: 'x' }));

export interface TransportRow {
  readonly what: string;
  /** 50 MB on one stream; through the full stack in frames of 8 MiB of JSON, or raw behind one answer. */
  readonly bulkMbPerSecond: number | undefined;
  /** 100 bytes of JSON each way. */
  readonly serialPerSecond: number | undefined;
  readonly parallelPerSecond: number | undefined;
  /** Processor time of both ends, microseconds. */
  readonly serialCpuUs?: number | undefined;
  readonly parallelCpuUs?: number | undefined;
  /** How many times the engine's own classes, of the same run. */
  readonly bulkRatio: number | undefined;
  readonly serialRatio: number | undefined;
  readonly parallelRatio: number | undefined;
  /** How many times the full stack's JSON. */
  readonly bulkToJson: number | undefined;
}

interface Rates {
  serialCpu?: number[];
  parallelCpu?: number[];
  bulk: number[];
  serial: number[];
  parallel: number[];
}

/**
 * Bulk and requests between two ends in this process: the raw driver, the whole stack above it, and the
 * engine's own classes as the reference. Rounds alternate, so that what else the machine does falls on
 * all of them alike; the best round of each counts.
 */
export async function measureTransport(): Promise<readonly TransportRow[]> {
  const raw: Rates = { bulk: [], serial: [], parallel: [] };
  const reference: Rates = { bulk: [], serial: [], parallel: [] };
  const full: Rates = { bulk: [], serial: [], parallel: [], serialCpu: [], parallelCpu: [] };
  const ownStreams: Rates = { bulk: [], serial: [], parallel: [], serialCpu: [], parallelCpu: [] };
  const fullRaw: Rates = { bulk: [], serial: [], parallel: [] };
  for (let round = 0; round < ROUNDS; round++) {
    await measure(await rawDriver(), raw, BULK_BYTES);
    const stack = await measureFullStack(ROUND_MS);
    keep(full, stack.shared);
    keep(ownStreams, stack.ownStreams);
    full.bulk.push(stack.bulkMbPerSecond);
    fullRaw.bulk.push(stack.rawMbPerSecond);
    await measure(await engineClasses(), reference, REFERENCE_BULK_BYTES);
  }
  const row = (what: string, rates: Rates): TransportRow => ({
    what,
    bulkMbPerSecond: best(rates.bulk),
    serialPerSecond: best(rates.serial),
    parallelPerSecond: best(rates.parallel),
    serialCpuUs: least(rates.serialCpu),
    parallelCpuUs: least(rates.parallelCpu),
    bulkRatio: ratio(rates.bulk, reference.bulk),
    serialRatio: ratio(rates.serial, reference.serial),
    parallelRatio: ratio(rates.parallel, reference.parallel),
    bulkToJson: ratio(rates.bulk, full.bulk),
  });
  return [
    row('raw driver', raw),
    row('full stack', full),
    row('full stack, a stream each', ownStreams),
    row('full stack, raw bytes', fullRaw),
    row('engine classes', reference),
  ];
}

async function measure(subject: Subject, rates: Rates, bulkBytes: number): Promise<void> {
  rates.serial.push(await subject.serial(REQUEST, ROUND_MS));
  rates.parallel.push(await subject.parallel(REQUEST, PARALLEL, ROUND_MS));
  await subject.bulk(bulkBytes / 4);
  const start = performance.now();
  await subject.bulk(bulkBytes);
  rates.bulk.push(bulkBytes / MB / ((performance.now() - start) / 1_000));
  await subject.close();
}

function keep(rates: Rates, { serialPerSecond, parallelPerSecond, serialCpuUs, parallelCpuUs }: Exchanges): void {
  rates.serial.push(serialPerSecond);
  rates.parallel.push(parallelPerSecond);
  rates.serialCpu?.push(serialCpuUs);
  rates.parallelCpu?.push(parallelCpuUs);
}

function least(times: readonly number[] | undefined): number | undefined {
  return times === undefined || times.length === 0 ? undefined : Math.min(...times);
}

function best(rates: readonly number[]): number | undefined {
  return rates.length === 0 ? undefined : Math.max(...rates);
}

function ratio(rates: readonly number[], reference: readonly number[]): number | undefined {
  const [ours, theirs] = [best(rates), best(reference)];
  return ours === undefined || theirs === undefined ? undefined : ours / theirs;
}
