import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

const CHECK_MS = 10_000;
/** Of the event loop's time: below it nobody waits for the 50 ms that the collection takes. */
const IDLE_BELOW = 0.05;
/** Longer than a connection that fell silent is kept, so that it is collected with the rest. */
const IDLE_CHECKS = 4;
/** Growth that is worth a collection. */
const GROWN = 1.1;
/** With a live heap above it the collection would stop the event loop for longer than anybody should notice. */
const HEAP_MAX_BYTES = 100e6;

type Collect = (options: { type: 'major'; execution: 'sync'; flavor: 'last-resort' }) => void;

/**
 * Gives back to the system what a busy time has left behind. V8 keeps the pages of a grown heap until something makes it
 * collect, and a node that is idle again allocates next to nothing: after a crowd of strangers it stayed 50 MB larger.
 * The process is not kept alive by it.
 */
export function releaseWhenIdle(): void {
  let utilization = performance.eventLoopUtilization();
  let keptRss = process.memoryUsage.rss();
  let idleChecks = 0;
  let collect: Collect | undefined;
  const check = (): void => {
    const { utilization: busy } = performance.eventLoopUtilization(utilization);
    utilization = performance.eventLoopUtilization();
    idleChecks = busy > IDLE_BELOW ? 0 : idleChecks + 1;
    if (idleChecks < IDLE_CHECKS) return;
    const { rss, heapUsed } = process.memoryUsage();
    if (rss < keptRss * GROWN || heapUsed > HEAP_MAX_BYTES) return;
    collect ??= collector();
    collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
    keptRss = process.memoryUsage.rss();
  };
  setInterval(check, CHECK_MS).unref();
}

/** Node has no call for it; this is the way that its documentation of V8's flags leaves. */
function collector(): Collect {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as Collect;
}
