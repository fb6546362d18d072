import type { RebalanceStep } from './plan.ts';

const COUNTED: Readonly<Partial<Record<RebalanceStep['do'], string>>> = {
  close: 'closed',
  'prune-preferred': 'preferred given up',
  'reconnect-preferred': 'preferred called back',
  reconnect: 'lost called back',
};
const DONE: Readonly<Partial<Record<RebalanceStep['do'], string>>> = {
  negotiate: 'looks for preferred peers',
  'signal-growth': 'lets it grow',
};

/** The steps of a rebalance in one line: `2 closed, 1 lost called back, lets it grow`. */
export function summarize(steps: readonly Pick<RebalanceStep, 'do'>[]): string {
  const counts = new Map<RebalanceStep['do'], number>();
  for (const step of steps) counts.set(step.do, (counts.get(step.do) ?? 0) + 1);
  const words = [...counts].map(([step, count]) => DONE[step] ?? `${count} ${COUNTED[step] ?? step}`);
  return words.join(', ') || 'nothing to do';
}
