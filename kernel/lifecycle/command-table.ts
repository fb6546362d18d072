import type { AnyCommand, CommandCall } from '../sdk/command.ts';
import { ItsgoinError } from '../sdk/errors.ts';
import { KNOWN_IDS } from '../sdk/known-ids.ts';
import { commandErrors } from '../command/errors.ts';
import { readParams } from '../command/params.ts';
import { expandIds } from '../command/id-prefixes.ts';
import type { PluginRecord } from './plugin-record.ts';
import type { Points } from './points.ts';

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

/**
 * Runs one command of a plugin; during a swap it waits, and runs in the new generation. What it throws without
 * a code is a failure of its plugin, whoever asked: a person, a script or a pane of the terminal UI.
 *
 * @throws command/unknown-command, command/bad-params, command/unknown-id, command/ambiguous-id, lifecycle/service-off
 */
export async function runCommand(
  records: readonly PluginRecord[],
  points: Points,
  command: string,
  params: unknown,
  call: CommandCall,
): Promise<unknown> {
  const found = commandTable(records).get(command);
  const record = records.find(({ name }) => name === found?.plugin);
  if (found === undefined || record === undefined) throw commandErrors.make('unknown-command', { command });
  const read = () => readParams(command, found.spec.params, params);
  // A schema is code of its plugin: one regular expression in it can take for ever.
  const given = record.generation?.call(read) ?? read();
  const checked = expandIds(found.spec.params, given, points.contributions(KNOWN_IDS));
  return record.gate.runAbortable(
    command,
    async (signal) => {
      const { generation } = record;
      const run = generation?.parts.commands?.[command];
      if (!run) throw commandErrors.make('unknown-command', { command });
      try {
        return await run(checked, { signal, progress: (step, fraction) => call.progress(step, fraction) });
      } catch (error) {
        if (!signal.aborted && !(error instanceof ItsgoinError)) {
          generation.reportFailure(`command ${command}`, error);
        }
        throw error;
      }
    },
    call.signal,
    found.spec,
  );
}
