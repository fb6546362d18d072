import test from 'ava';
import { PeerTable } from '../../kernel/transport/peer-table.ts';

const connection = () => ({ direction: 'inbound' as const, incarnation: 'aaaaaaaaaaaaaaaa' });

test('the end of an old connection does not take out the one that followed it (MESH-10)', (t) => {
  const table = new PeerTable<ReturnType<typeof connection>>();
  const [old, fresh] = [connection(), connection()];
  t.is(table.enter('peer', old), undefined);
  t.is(table.enter('peer', fresh), old);
  table.remove('peer', old);
  t.is(table.open('peer'), fresh);
  table.remove('peer', fresh);
  t.is(table.open('peer'), undefined);
  t.is(table.size, 0);
});

test('a dial under way is forgotten when it ends or opens', (t) => {
  const table = new PeerTable<ReturnType<typeof connection>>();
  const [dial, other] = [connection(), connection()];
  table.setPending('peer', dial);
  table.remove('peer', other);
  t.is(table.pending('peer'), dial);
  table.enter('peer', dial);
  t.is(table.pending('peer'), undefined);
  t.is(table.open('peer'), dial);
});
