import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Type } from '../../kernel/sdk/typebox.ts';
import { createBus } from '../../kernel/bus/index.ts';
import { systemClock } from '../../kernel/clock/index.ts';
import { commandErrors } from '../../kernel/command/errors.ts';
import { readParams } from '../../kernel/command/params.ts';
import type { ControlDeps } from '../../kernel/control/deps.ts';
import { type ControlServer, startControl } from '../../kernel/control/server.ts';
import { createCounters, createLog } from '../../kernel/observe/index.ts';
import { type CommandBase, type CommandCall, defineCommand } from '../../kernel/sdk/command.ts';
import { defineErrors } from '../../kernel/sdk/errors.ts';

export const greetingErrors = defineErrors('greeting', {
  rude: { message: 'One does not say {word}', hint: 'Say hello' },
});

interface FakeCommand {
  readonly spec: CommandBase;
  run(params: never, call: CommandCall): unknown;
}

const greetingCommands: Record<string, FakeCommand> = {
  'greeting.say': {
    spec: defineCommand({
      about: 'Say something',
      params: Type.Object({ text: Type.String({ minLength: 1 }), times: Type.Integer({ default: 1, minimum: 1 }) }),
      result: Type.Object({ said: Type.String() }),
      positional: ['text'],
      text: ({ said }) => `It said ${said}`,
    }),
    run({ text, times }: { text: string; times: number }, call) {
      if (text === 'damn') throw greetingErrors.make('rude', { word: text });
      if (text === 'long') throw greetingErrors.make('rude', { word: 'damn '.repeat(times) });
      if (text === 'long crash') throw new TypeError('damn '.repeat(times));
      if (text === 'crash') throw new TypeError('the handler is broken');
      for (let index = 0; index < Math.min(times, 10); index++) call.progress('saying', index / times);
      return { said: text.repeat(times) };
    },
  },
  'greeting.wait': {
    spec: { about: 'Wait for ever', params: Type.Object({}), result: Type.Object({}) },
    run: (_params, call) =>
      new Promise((_resolve, reject) => call.signal.addEventListener('abort', () => reject(call.signal.reason))),
  },
};

export interface FakeNode {
  readonly dataDir: string;
  readonly server: ControlServer;
  readonly bus: ReturnType<typeof createBus>;
  /** How often the node was asked to stop. */
  stops(): number;
  /** Commands of the plugin that were run. */
  runs(): number;
  close(): Promise<void>;
}

/** A control server over the real socket on a node made of fakes: one plugin, `greeting`. */
export async function startFakeNode(options: { dataDir?: string } = {}): Promise<FakeNode> {
  const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), 'control-test-'));
  const clock = systemClock();
  const logs = createLog({ level: 'debug', clock, to: 'none' });
  const bus = createBus({ log: logs.area('bus'), counters: createCounters(), clock });
  let stops = 0;
  let runs = 0;
  const self = { nodeId: 'ab'.repeat(32), deviceId: 'cd'.repeat(32) };
  const deps = {
    ...{ dataDir, version: '0.0.0', clock, bus, logs, log: logs.area('control') },
    network: { self, port: 4433, connections: () => [], localAddresses: () => ['127.0.0.1:4433', '[::1]:4433'] },
    store: { integrityCheck: () => [] },
    gauges: { read: () => ({ loopDelayMs: { p50: 0, p99: 0, max: 0 } }) },
    trace: { subscribe: () => () => {} },
    config: {
      node: { port: 4433 },
      plugin: () => ({ enabled: true }),
      setNode: () => ({ restart: true }),
      nodeFaults: () => [],
    },
    stop: () => stops++,
    host: {
      list: () => [
        {
          ...{ name: 'greeting', version: '1.0.0', about: 'Greets', state: 'active', generation: 1 },
          ...{ source: 'builtin', commands: Object.keys(greetingCommands) },
        },
      ],
      contributions: () => [],
      diagnostics: () => ({ status: { greetings: 7 } }),
      inspect: () => ({ name: 'greeting', state: 'active', config: { loud: false } }),
      settings: () => ({ values: { loud: false }, problems: [] }),
      commands: () =>
        new Map(Object.entries(greetingCommands).map(([name, { spec }]) => [name, { spec, plugin: 'greeting' }])),
      run: async (name: string, params: unknown, call: CommandCall) => {
        const command = Object.hasOwn(greetingCommands, name) ? greetingCommands[name] : undefined;
        runs++;
        if (command === undefined) throw commandErrors.make('unknown-command', { command: name });
        return command.run(readParams(name, command.spec.params, params) as never, call);
      },
    },
  } as unknown as ControlDeps;
  const server = await startControl(deps);
  return {
    ...{ dataDir, server, bus },
    stops: () => stops,
    runs: () => runs,
    async close() {
      await server.stop();
      bus.close();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
