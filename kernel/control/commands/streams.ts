import { Type } from '../../sdk/typebox.ts';
import { LOG_LEVELS, type LogEntry, type LogLevel } from '../../observe/index.ts';
import type { KernelStream } from '../deps.ts';

const Fields = Type.Record(Type.String(), Type.Unknown());

/** What can be watched: facts on the bus, frames on the wire, the log. */
export const nodeStreams: Readonly<Record<string, KernelStream>> = {
  events: {
    about: 'Watch what happens: every fact on the bus as it is published',
    params: Type.Object({ topic: Type.Optional(Type.String({ description: 'Only topics starting with this' })) }),
    event: Type.Object({ topic: Type.String(), atMs: Type.Number(), event: Type.Unknown() }),
    start({ topic = '' }, push, deps) {
      const subscription = deps.bus.all().subscribe((event) => {
        if (event.topic.startsWith(topic as string)) push(event);
      });
      return () => subscription.unsubscribe();
    },
  },
  trace: {
    about: 'Watch the wire: every frame in and out, one JSON object a line',
    params: Type.Object({
      peer: Type.Optional(Type.String({ description: 'Only this NodeId (or its beginning)' })),
      name: Type.Optional(Type.String({ description: 'Only messages whose name starts with this' })),
    }),
    event: Fields,
    start: ({ peer = '', name = '' }, push, deps) =>
      deps.trace.subscribe((records, dropped) => {
        let lost = dropped;
        for (const record of records) {
          if (!record.peer.startsWith(peer as string) || !record.name.startsWith(name as string)) continue;
          push(record, lost);
          lost = 0;
        }
      }),
  },
  log: {
    about: 'Watch the log, starting with the last lines',
    params: Type.Object({
      level: Type.String({ default: 'info', enum: [...LOG_LEVELS], description: 'The least level shown' }),
    }),
    event: Type.Object({
      atMs: Type.Number(),
      level: Type.String(),
      area: Type.String(),
      event: Type.String(),
      fields: Fields,
    }),
    start({ level }, push, deps) {
      const least = LOG_LEVELS.indexOf(level as LogLevel);
      const wanted = (entry: LogEntry) => LOG_LEVELS.indexOf(entry.level) >= least;
      for (const entry of deps.logs.recent()) if (wanted(entry)) push(entry);
      return deps.logs.subscribe((entry) => {
        if (wanted(entry)) push(entry);
      });
    },
  },
};
