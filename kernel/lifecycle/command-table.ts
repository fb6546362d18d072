import type { AnyCommand, CommandCall } from '../sdk/command.ts';
import { readParams } from '../control/params.ts';
import { lifecycleErrors } from './errors.ts';
import type { PluginRecord } from './plugin-record.ts';

/** Commands of the plugins that are active now, by name. */
export function commandTable(records: Iterable<PluginRecord>): Map<string, { spec: AnyCommand; plugin: string }> {
  const table = new Map<string, { spec: AnyCommand; plugin: string }>();
  for (const { name, generation } of records) {
    for (const [command, spec] of Object.entries<AnyCommand>(generation?.plugin.commands ?? {})) {
      table.set(command, { spec, plugin: name });
    }
  }
  return table;
}

/** Runs one command of a plugin; during a swap it waits, and runs in the new generation. */
export function runCommand(
  record: PluginRecord,
  command: string,
  spec: AnyCommand,
  params: unknown,
  call: CommandCall,
): Promise<unknown> {
  const checked = readParams(command, spec.params, params);
  return record.gate.runAbortable(
    command,
    (signal) => {
      const run = record.generation?.parts.commands?.[command];
      if (!run) throw lifecycleErrors.make('unknown-command', { command });
      return run(checked, { signal, progress: (step: string, fraction?: number) => call.progress(step, fraction) });
    },
    call.signal,
  );
}
