import { safeLine } from '../safe-text.ts';
import type { Session } from '../session.ts';
import { list, numberOr, record } from '../store/post.ts';
import { pluginOff, problemOf } from '../store/problem.ts';

/** Dead anchors cost 15 s each; who asks for longer is told that it goes on. */
const REFERRALS_MS = 60_000;
const REBALANCE_MS = 15_000;

interface MeshAction {
  readonly method: string;
  /** Shown while it goes on; the same is not begun twice. */
  readonly busy: string;
  /** What it is good for, should its plugin be off. */
  readonly wanted: string;
  readonly limitMs: number;
  readonly told: (answer: Record<string, unknown>) => { readonly text: string; readonly good: boolean };
}

/** Runs a command of the mesh with what the user sees of it: progress, outcome, and what to do if it cannot be. */
async function act(session: Session, { method, busy, wanted, limitMs, told }: MeshAction): Promise<void> {
  const { backend, diagnostics, shell } = session;
  if (diagnostics.state.get().busy.includes(busy)) return shell.tell(`Still ${busy} …`, 'plain');
  shell.tell(`${busy[0]?.toUpperCase()}${busy.slice(1)} …`, 'plain');
  try {
    const answer = await diagnostics.during(busy, () => backend.call(method, {}, limitMs));
    const { text, good } = told(record(answer));
    shell.tell(text, good ? 'good' : 'bad');
  } catch (error) {
    const problem = problemOf(error);
    // A service that is off belongs to another plugin than the command.
    const off = problem.code === 'lifecycle/service-off' ? diagnostics.off : pluginOff(problem, method);
    if (problem.code === 'control/cancelled') shell.tell(`The node goes on ${busy}; Activity will tell`, 'plain');
    else if (off !== undefined) shell.reportOff(off, wanted);
    else throw error;
  }
  await diagnostics.refresh();
}

/** Asks anchors for peers: they get ReferralRequest, 0xC1 (UI-17). */
function requestReferrals(session: Session): Promise<void> {
  return act(session, {
    method: 'anchor.request',
    busy: 'asking anchors',
    wanted: 'ask anchors for peers',
    limitMs: REFERRALS_MS,
    told: ({ reached }) => {
      const nodes = numberOr(reached, 0);
      if (nodes === 0) return { text: 'No anchor answered; Growth tells who was asked', good: false };
      return {
        text: `Anchors answered: ${nodes} ${nodes === 1 ? 'node' : 'nodes'} reached, anchors included`,
        good: true,
      };
    },
  });
}

const STEP_WORDS: Readonly<Record<string, string>> = {
  close: 'closed',
  'prune-preferred': 'preferred given up',
  'reconnect-preferred': 'preferred called back',
  reconnect: 'lost called back',
};
const STEP_DONE: Readonly<Record<string, string>> = {
  negotiate: 'looks for preferred peers',
  'signal-growth': 'lets it grow',
};

/** The ten-minute clean-up of the mesh, now (UI-24, CYC-03). */
export function rebalance(session: Session): Promise<void> {
  return act(session, {
    method: 'rebalance.now',
    busy: 'rebalancing',
    wanted: 'rebalance',
    limitMs: REBALANCE_MS,
    told: ({ steps }) => ({
      text: `Rebalanced: ${tally(list(steps).map((step) => safeLine(record(step).do)))}`,
      good: true,
    }),
  });
}

/** `2 closed, 1 lost called back, lets it grow`. */
function tally(steps: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const step of steps) counts.set(step, (counts.get(step) ?? 0) + 1);
  const words = [...counts].map(([step, count]) => STEP_DONE[step] ?? `${count} ${STEP_WORDS[step] ?? step}`);
  return words.join(', ') || 'nothing to do';
}

export const meshActions = { 'request-referrals': requestReferrals, rebalance };
