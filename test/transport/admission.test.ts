import test from 'ava';
import type { DeviceId } from '../../kernel/sdk/identifiers.ts';
import { admit, type Hello, type Rival } from '../../kernel/transport/admission.ts';

const SMALL = '1'.repeat(64) as DeviceId;
const LARGE = '2'.repeat(64) as DeviceId;
const SELF = 'aaaaaaaaaaaaaaaa';
const PEER = 'bbbbbbbbbbbbbbbb';
const PEER_BEFORE = 'cccccccccccccccc';

const hello = (change: Partial<Hello> = {}): Hello => ({
  incarnation: PEER,
  holds: undefined,
  insists: false,
  ...change,
});
const self = (deviceId: DeviceId) => ({ incarnation: SELF, deviceId });
const open = (direction: Rival['direction'], incarnation = PEER): Rival => ({ direction, incarnation });
const PENDING: Rival = { direction: 'outbound', incarnation: undefined };

test('the first connection is accepted', (t) => {
  t.is(admit(hello(), undefined, self(SMALL), LARGE), 'accept');
});

test('a restarted peer takes the place of its former self, whoever dialled', (t) => {
  for (const device of [SMALL, LARGE]) {
    for (const direction of ['inbound', 'outbound'] as const) {
      t.is(admit(hello(), open(direction, PEER_BEFORE), self(device), device === SMALL ? LARGE : SMALL), 'replace');
    }
  }
});

test('a peer that holds our connection is told to keep it', (t) => {
  t.is(admit(hello({ holds: SELF }), open('inbound'), self(LARGE), SMALL), 'reject');
  t.is(admit(hello({ holds: SELF }), open('outbound'), self(LARGE), SMALL), 'reject');
  t.is(admit(hello({ holds: SELF }), PENDING, self(LARGE), SMALL), 'reject', 'our Accept is on its way');
});

test('a peer that holds a connection of our former self has nothing of us', (t) => {
  t.is(admit(hello({ holds: PEER_BEFORE }), undefined, self(SMALL), LARGE), 'accept');
});

test('a peer that dials again after losing its own connection replaces it', (t) => {
  t.is(admit(hello(), open('inbound'), self(SMALL), LARGE), 'replace');
});

test('of two dials that cross, exactly the one of the smaller device stays', (t) => {
  // Each side judges the other's Hello while its own dial awaits the Accept.
  t.is(admit(hello(), PENDING, self(SMALL), LARGE), 'reject');
  t.is(admit(hello(), PENDING, self(LARGE), SMALL), 'accept');
  // The same when the smaller one's dial has been accepted meanwhile.
  t.is(admit(hello(), open('outbound'), self(SMALL), LARGE), 'reject');
});

test('a peer that insists gets its connection', (t) => {
  t.is(admit(hello({ insists: true }), open('outbound'), self(SMALL), LARGE), 'replace');
  t.is(admit(hello({ insists: true }), PENDING, self(SMALL), LARGE), 'accept');
});
