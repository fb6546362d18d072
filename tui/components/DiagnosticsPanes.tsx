import { Text } from 'ink';
import { bytes, count, shortId, timeOfDay } from '../format.ts';
import { colorOf } from '../identicon.ts';
import { useStore } from '../use-store.ts';
import type { ScreenProps } from '../screen-props.ts';
import { THEME } from '../theme.ts';
import { pad } from '../wrap.ts';
import { Bar } from './Bar.tsx';
import { Line } from './Line.tsx';
import { List } from './List.tsx';
import { Nothing } from './Nothing.tsx';

/** Every plugin with its state. */
export function PluginsPane({ session, area }: ScreenProps) {
  const plugins = useStore(session.diagnostics.state, (state) => state.plugins);
  const selected = useStore(session.diagnostics.state, (state) => state.selected.get('Plugins') ?? 0);
  if (plugins.length === 0) return <Nothing text="No plugin." />;
  return (
    <List
      session={session}
      items={plugins}
      selected={selected}
      rows={area.rows}
      heightOf={() => 1}
      keyOf={(one) => one.name}
    >
      {(plugin, isSelected) => {
        const tone = plugin.state === 'active' ? THEME.good : plugin.state === 'failed' ? THEME.bad : THEME.dim;
        const mark = plugin.state === 'active' ? '●' : plugin.state === 'failed' ? '✗' : '○';
        return (
          <Line>
            <Bar shown={isSelected} />
            <Text color={tone}>{`${mark} `}</Text>
            {pad(plugin.name, 18)}
            <Text color={tone}>{pad(` ${plugin.state}`, 9)}</Text>
            <Text color={THEME.dim}>{pad(` v${plugin.version}`, 10)}</Text>
            <Text color={THEME.dim}>{pad(` gen ${plugin.generation}`, 9)}</Text>
            <Text color={plugin.reason === '' ? THEME.dim : THEME.warn}>{plugin.reason || plugin.about}</Text>
          </Line>
        );
      }}
    </List>
  );
}

/** Frames in and out, newest first. */
export function TrafficPane({ session, area }: ScreenProps) {
  const frames = useStore(session.diagnostics.lines.state, (state) => state.frames);
  const selected = useStore(session.diagnostics.state, (state) => state.selected.get('Traffic') ?? 0);
  const { framesIn, framesOut, bytesIn, bytesOut } = useStore(
    session.diagnostics.lines.state,
    (state) => state.traffic,
  );
  if (frames.length === 0) return <Nothing text="No frame since you opened this tab." />;
  return (
    <>
      <Line>
        <Text color={THEME.dim}>{'  in '}</Text>
        {`${count(framesIn)} frames ${bytes(bytesIn)}`}
        <Text color={THEME.dim}>{'   out '}</Text>
        {`${count(framesOut)} frames ${bytes(bytesOut)}`}
      </Line>
      <List
        session={session}
        items={frames}
        selected={Math.min(selected, frames.length - 1)}
        rows={area.rows - 1}
        heightOf={() => 1}
        keyOf={keyOfLine}
      >
        {(frame, isSelected) => (
          <Line>
            <Bar shown={isSelected} />
            <Text color={THEME.dim}>{timeOfDay(frame.atMs)}</Text>
            <Text color={frame.incoming ? THEME.good : THEME.accent}>{frame.incoming ? '  ← ' : '  → '}</Text>
            <Text color={colorOf(frame.peer)}>{shortId(frame.peer)}</Text>
            {`  ${pad(frame.name, 26)}`}
            <Text color={THEME.dim}>{bytes(frame.bytes).padStart(8)}</Text>
            <Text
              color={frame.outcome === 'ok' || frame.outcome === 'sent' ? THEME.dim : THEME.bad}
            >{`  ${frame.outcome}`}</Text>
          </Line>
        )}
      </List>
    </>
  );
}

const LEVEL_COLORS = { debug: THEME.dim, info: THEME.good, warn: THEME.warn, error: THEME.bad } as const;

/** The node's log, newest first. */
export function LogPane({ session, area }: ScreenProps) {
  const log = useStore(session.diagnostics.lines.state, (state) => state.log);
  const selected = useStore(session.diagnostics.state, (state) => state.selected.get('Log') ?? 0);
  if (log.length === 0) return <Nothing text="The log is empty." />;
  return (
    <List
      session={session}
      items={log}
      selected={Math.min(selected, log.length - 1)}
      rows={area.rows}
      heightOf={() => 1}
      keyOf={keyOfLine}
    >
      {(line, isSelected) => (
        <Line>
          <Bar shown={isSelected} />
          <Text color={THEME.dim}>{timeOfDay(line.atMs)}</Text>
          <Text color={LEVEL_COLORS[line.level]}>{`  ${line.level.padEnd(5)}  `}</Text>
          {line.text}
        </Line>
      )}
    </List>
  );
}

const lineKeys = new WeakMap<object, string>();
let nextLineKey = 0;

/** Lines have no id of their own, and equal ones are different lines. */
export function keyOfLine(line: object): string {
  const known = lineKeys.get(line) ?? String(nextLineKey++);
  lineKeys.set(line, known);
  return known;
}
