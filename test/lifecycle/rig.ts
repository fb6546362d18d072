import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { createBus } from '../../kernel/bus/index.ts';
import { seededRandom, VirtualClock } from '../../kernel/clock/index.ts';
import { openConfig } from '../../kernel/config/index.ts';
import type { DeviceId, NodeId } from '../../kernel/index.ts';
import { Resources } from '../../kernel/lifecycle/container.ts';
import { Host } from '../../kernel/lifecycle/host.ts';
import { Points } from '../../kernel/lifecycle/points.ts';
import { Services } from '../../kernel/lifecycle/services.ts';
import { createCounters } from '../../kernel/observe/index.ts';
import { UI_POINTS } from '../../kernel/sdk/ui/index.ts';
import { openStore } from '../../kernel/store/index.ts';
import { createDispatcher, type Dispatcher } from '../../kernel/wire/index.ts';
import { type RecordingLog, recordingLog } from '../rig/recording-log.ts';
import { temporaryDirectory } from '../rig/temporary.ts';

export interface HostRig {
  readonly host: Host;
  readonly clock: VirtualClock;
  readonly bus: ReturnType<typeof createBus>;
  readonly log: RecordingLog;
  readonly dispatcher: Dispatcher;
  readonly dir: string;
  /** Writes plugin code and gives its path. */
  write(name: string, code: string): string;
  /** Starts plugins as a node does: those that ship with it, then those of its data directory. */
  start(builtin: readonly string[], local?: readonly string[]): Promise<void>;
  /** Runs a command of a plugin. */
  run(command: string, params?: unknown): Promise<unknown>;
}

/** A plugin host on a virtual clock with a real store, bus and dispatcher, and no network. `saved` is its config file. */
export function hostRig(t: ExecutionContext, saved?: (dir: string) => object): HostRig {
  const dir = temporaryDirectory(t);
  if (saved) writeFileSync(join(dir, 'config.json'), JSON.stringify(saved(dir)));
  const clock = new VirtualClock();
  const log = recordingLog();
  const counters = createCounters();
  const bus = createBus({ log, counters, clock });
  const store = openStore({ path: join(dir, 'itsgoin.db'), log, clock });
  const dispatcher = createDispatcher({ clock, counters: counters.of('kernel/wire'), log });
  const random = seededRandom('host-rig');
  const host = new Host({
    self: { nodeId: 'a'.repeat(64) as NodeId, deviceId: 'b'.repeat(64) as DeviceId },
    bus,
    store,
    clock,
    random,
    services: new Services(),
    points: new Points(clock, log, UI_POINTS),
    resources: new Resources(),
    log: () => log,
    counters: (owner) => counters.of(owner),
    send: () => Promise.reject(new Error('no network in this rig')),
    router: dispatcher.router,
    isKernelCommand: (name) => name === 'plugin.list',
    config: openConfig(join(dir, 'config.json')),
  });
  t.teardown(async () => {
    await host.stop();
    dispatcher.close();
    store.close();
  });
  return {
    host,
    clock,
    bus,
    log,
    dispatcher,
    dir,
    write(name, code) {
      const path = join(dir, 'plugins', name);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, code);
      return path;
    },
    async start(builtin, local = []) {
      await host.start(builtin);
      await host.startOthers(local);
    },
    run: (command, params = {}) => host.run(command, params, { signal: new AbortController().signal, progress() {} }),
  };
}

/** The text of a small plugin `counter`, with parts replaced to taste. */
export function counterPlugin(
  changes: { version?: string; step?: number; setup?: string; parts?: string; fields?: string } = {},
): string {
  const { version = '1.0.0', step = 1, setup = '', parts = '', fields = '' } = changes;
  return `
import { defineCommand, definePlugin, defineToken, Type } from 'itsgoin';
const COUNTER = defineToken('counter');
export default definePlugin({
  name: 'counter', version: '${version}', kernel: '^1', about: 'Counts',
  config: Type.Object({ start: Type.Integer({ default: 0 }) }),
  provides: [COUNTER],
  state: Type.Object({ count: Type.Integer() }),
  commands: {
    'counter.add': defineCommand({ about: 'Add', params: Type.Object({}), result: Type.Object({ count: Type.Integer() }) }),
  },
  ${fields}
  async setup(ctx) {
    let count = ctx.config.start;
    ${setup}
    const add = () => ({ count: (count += ${step}) });
    return {
      services: [{ token: COUNTER, service: { add } }],
      commands: { 'counter.add': () => add() },
      snapshot: () => ({ count }),
      restore: (state) => { count = state.count; },
      ${parts}
    };
  },
});
`;
}
