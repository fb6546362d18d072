import type { ExecutionContext } from 'ava';
import { type Newcomer, newcomer } from './newcomer.ts';

export const NODES = 12;

export interface Slots {
  readonly held: number;
  readonly limit: number;
  readonly connections: Record<string, string[]>;
}

export interface Swarm {
  readonly anchor: Newcomer;
  readonly others: readonly Newcomer[];
  /** From its process being spawned to its last slot, a newcomer. */
  readonly growthMs: readonly number[];
  /** From the last process being spawned to nobody lacking anybody. */
  readonly wholeMs: number;
}

/** An anchor, and eleven that are told of nobody else, until each is everybody's mesh peer. */
export async function swarm(t: ExecutionContext, start: 'in turn' | 'at once'): Promise<Swarm> {
  const anchor = await newcomer(t);
  await anchor.cli('anchor', 'declare', 'on');
  const others: Newcomer[] = [];
  const starts = Array.from({ length: NODES - 1 }, () => () => newcomer(t, [anchor.connectString]));
  if (start === 'at once') others.push(...(await Promise.all(starts.map((begin) => begin()))));
  else for (const begin of starts) others.push(await begin());
  const all = [anchor, ...others];
  const growthMs = await Promise.all(all.map((node) => untilPeersOf(node, all)));
  const lastMs = Math.max(...others.map(({ startedMs }) => startedMs));
  return { anchor, others, growthMs: growthMs.slice(1), wholeMs: performance.now() - lastMs };
}

/** Waits until a node's mesh peers are the others of `all` and nobody else; gives the time since its start. */
export async function untilPeersOf(node: Newcomer, all: readonly Newcomer[]): Promise<number> {
  const wanted = idsBut(node, all);
  await node.until(
    'mesh/slot-changed',
    () => node.call<Slots>('mesh.slots'),
    (slots) => meshOf(slots) === wanted,
  );
  return performance.now() - node.startedMs;
}

export const meshOf = ({ connections }: Slots): string => (connections.mesh ?? []).toSorted().join();

/** Ids of all but one, in order. */
export const idsBut = (node: Newcomer, all: readonly Newcomer[]): string =>
  all
    .filter((other) => other !== node)
    .map(({ nodeId }) => nodeId)
    .sort()
    .join();
