import type { TimerHandle } from '../../kernel/index.ts';
import { type FanOutWorld, FINDINGS_MAX, WORM_FAN_OUT_MS } from './search-world.ts';

/** How long a referred peer goes on collecting after its first finding, which may be a lie. */
const GRACE_MS = 100;

/**
 * What a referred node does with a query of ttl 1 (WORM-04): looks at home, else asks its mesh peers
 * with ttl 0. `done` is called once, within WORM_FAN_OUT_MS. Returns what calls it off without a word.
 */
export function runRelay<Id, Finding, Referral>(
  world: FanOutWorld<Id, Finding, Referral>,
  done: (findings: readonly Finding[], asked: number) => void,
): () => void {
  const findings: Finding[] = [...world.local()].slice(0, FINDINGS_MAX);
  let timer: TimerHandle | undefined;
  let ended = false;
  const cancel = (): void => {
    ended = true;
    timer?.cancel();
  };
  let asked = 0;
  const finish = (): void => {
    if (ended) return;
    cancel();
    done(findings, asked);
  };
  if (findings.length > 0) {
    finish();
    return cancel;
  }
  const startMs = world.clock.monotonic();
  const peers = world.peers();
  timer = world.clock.timer(WORM_FAN_OUT_MS, finish);
  let replies = 0;
  asked = peers.length;
  for (const peer of peers) {
    world.ask(peer, WORM_FAN_OUT_MS, (answer) => {
      if (ended) return;
      replies += 1;
      const first = answer?.findings[0];
      if (first !== undefined) {
        // One of each answerer: the rest of an answer is no better than its first.
        findings.push(first);
        if (findings.length === 1) {
          const leftMs = WORM_FAN_OUT_MS - (world.clock.monotonic() - startMs);
          timer?.cancel();
          timer = world.clock.timer(Math.max(0, Math.min(GRACE_MS, leftMs)), finish);
        }
      }
      if (replies === peers.length || findings.length === FINDINGS_MAX) finish();
    });
  }
  if (peers.length === 0) finish();
  return cancel;
}
