import { Box, Text } from 'ink';
import { IdenticonLine } from '../components/Identicon.tsx';
import { Line } from '../components/Line.tsx';
import { List } from '../components/List.tsx';
import { OffNotice } from '../components/OffNotice.tsx';
import { shortId, since } from '../format.ts';
import { IDENTICON_COLUMNS, colorOf } from '../identicon.ts';
import { type Person, sectionOf } from '../store/people.ts';
import { useStore } from '../use-store.ts';
import type { ScreenProps } from '../screen-props.ts';
import { THEME } from '../theme.ts';
import { truncate } from '../wrap.ts';

const EMPTY = [
  'You follow nobody yet.',
  '',
  'c  connects to a friend: paste the connect string that their Settings tab shows.',
  'a  follows a node id or connect string.',
];

/** Follows online and offline, then peers nobody follows (UI-02, UI-23). */
export function PeopleScreen({ session, area }: ScreenProps) {
  const { people, selected, filter, loaded, off } = useStore(session.people.state, (state) => state);
  const nowMs = useStore(session.node.state, (state) => state.nowMs);
  const visible = session.people.visible();
  const above = (off === undefined ? 0 : 1) + (filter === '' ? 0 : 1);
  const startsSection = (person: Person, index: number) =>
    index === 0 || sectionOf(person) !== sectionOf(visible[index - 1] as Person);
  const sizeOf = (section: string) => visible.filter((person) => sectionOf(person) === section).length;
  return (
    <Box flexDirection="column" height={area.rows} overflow="hidden">
      {off === undefined ? null : <OffNotice plugin={off} />}
      {filter === '' ? null : (
        <Text color={THEME.warn}>{`  filter "${filter}"  ${visible.length} of ${people.length}`}</Text>
      )}
      {visible.length > 0 ? (
        <List
          session={session}
          items={visible}
          selected={selected}
          rows={area.rows - above}
          heightOf={(person, index) => (startsSection(person, index) ? 4 : 3)}
          keyOf={(person) => person.nodeId}
        >
          {(person, isSelected, index) => (
            <>
              {startsSection(person, index) ? (
                <Line>
                  <Text color={THEME.dim}>{`  ${sectionOf(person)}  ${sizeOf(sectionOf(person))}`}</Text>
                </Line>
              ) : null}
              <PersonRow person={person} isSelected={isSelected} columns={area.columns} nowMs={nowMs} />
            </>
          )}
        </List>
      ) : (
        <Box flexDirection="column" paddingX={2} paddingY={1}>
          {(loaded ? EMPTY : ['Reading …']).map((line) => (
            <Text key={line} color={THEME.dim}>
              {line || ' '}
            </Text>
          ))}
        </Box>
      )}
    </Box>
  );
}

interface PersonRowProps {
  readonly person: Person;
  readonly isSelected: boolean;
  readonly columns: number;
  readonly nowMs: number;
}

function PersonRow({ person, isSelected, columns, nowMs }: PersonRowProps) {
  const bar = <Text color={THEME.accent}>{isSelected ? '▌ ' : '  '}</Text>;
  const space = columns - IDENTICON_COLUMNS - 6;
  const link = person.links[0];
  const presence = person.online
    ? `● online${link === undefined ? '' : `  ${link.kind}  ${link.remoteAddr}`}`
    : `○ ${person.lastSeenMs === undefined ? 'not seen yet' : `last online ${since(person.lastSeenMs, nowMs)}`}`;
  return (
    <>
      <Line>
        {bar}
        <IdenticonLine nodeId={person.nodeId} line={0} />
        {'  '}
        <Text bold color={colorOf(person.nodeId)}>
          {truncate(person.name ?? shortId(person.nodeId), 28)}
        </Text>
        <Text color={THEME.dim}>{person.name === undefined ? '  ' : `  ${shortId(person.nodeId)}  `}</Text>
        <Text color={person.online ? THEME.good : THEME.dim}>{presence}</Text>
        <Text color={THEME.dim}>{person.followsYou ? '  follows you' : ''}</Text>
      </Line>
      <Line>
        {bar}
        <IdenticonLine nodeId={person.nodeId} line={1} />
        <Text color={THEME.dim}>{`  ${truncate(person.bio, space)}`}</Text>
      </Line>
    </>
  );
}
