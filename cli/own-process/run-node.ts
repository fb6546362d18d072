import { setFlagsFromString } from 'node:v8';
import type { GuardedNode, Node, NodeOptions } from '../../kernel/node.ts';
import { EXIT } from '../errors.ts';
import type { Terminal } from '../terminal.ts';
import { noteBlockingCalls } from './blocking-calls.ts';
import { lockBuiltIns } from './built-ins.ts';
import { exit, guardProcess } from './guard.ts';
import { releaseWhenIdle } from './idle-memory.ts';
import { limitWorkers } from './worker-limits.ts';
import { startWatchdog, type WatchdogNotice, watchStop } from './watchdog.ts';

/** A node that has not stopped by then is ended: a supervisor would kill it soon anyway. */
const STOP_LIMIT_MS = 4_500;

/** Something of a stopped node that still holds the process (code of a plugin that never ends) holds it no longer than this. */
const LINGER_MS = 1_000;

export type StartOptions = Pick<NodeOptions, 'dataDir' | 'bind' | 'port' | 'logLevel' | 'files' | 'settings' | 'safe'>;

/** Starts a node in this process that stops cleanly on SIGTERM and SIGINT. @throws what startNode throws */
export async function startOwnNode(options: StartOptions): Promise<Node> {
  // A start leaves 40 MB of garbage, for which V8 would make its young generation larger for good.
  setFlagsFromString('--semi-space-growth-factor=1');
  const { startNode } = await import('../../kernel/node.ts');
  let own: GuardedNode | undefined;
  const guard: NodeOptions['guard'] = (started) => {
    own = started;
    guardProcess(started);
    stopOnSignals(started);
  };
  const watch: NodeOptions['watch'] = (hungFile, caller) => {
    const guarded = own as GuardedNode;
    noteBlockingCalls(guarded);
    lockBuiltIns();
    const onNotice = (notice: WatchdogNotice): void => {
      if ('held' in notice) guarded.heldUp(notice.held);
      else stopWithin(guarded);
    };
    startWatchdog(hungFile, caller, onNotice, () => guarded.caller()?.name);
    limitWorkers(guarded);
  };
  const node = await startNode({ ...options, guard, watch });
  setFlagsFromString('--semi-space-growth-factor=2');
  releaseWhenIdle();
  void node.stopped.then(() => setTimeout(() => exit(), LINGER_MS).unref());
  return node;
}

/** Asked twice, it does not wait. */
function stopOnSignals(node: Pick<Node, 'stop'>): void {
  let asked = false;
  const stop = () => {
    if (asked) exit(EXIT.interrupted);
    asked = true;
    stopWithin(node);
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
}

/** A node without a user interface; ends when it was asked to stop. Survives the terminal it was started from. */
export async function runHeadless(options: StartOptions, terminal: Terminal): Promise<number> {
  process.on('SIGHUP', () => {});
  const node = await startOwnNode(options);
  terminal.out(`itsgoin node ${node.self.nodeId}`);
  terminal.out(`UDP port ${node.network.port}, data in ${options.dataDir}`);
  const failure = await node.stopped;
  if (failure === undefined) return EXIT.ok;
  terminal.err(`itsgoin: ${failure.message}`);
  return EXIT.failed;
}

/** The node in this process with the terminal UI or the line mode on it; both end together. */
export async function runAttended(options: StartOptions, use: (node: Node) => Promise<number>): Promise<number> {
  const node = await startOwnNode(options);
  process.on('SIGHUP', () => stopWithin(node));
  try {
    return await use(node);
  } finally {
    stopWithin(node);
    await node.stopped;
  }
}

function stopWithin(node: Pick<Node, 'stop'>): void {
  watchStop();
  setTimeout(() => exit(EXIT.failed), STOP_LIMIT_MS).unref();
  void node.stop();
}
