import test from 'ava';
import { kindOf, PATH_PROBE } from '../../kernel/transport/demultiplex.ts';

/** Type and length of a STUN message without its cookie and transaction id. */
function stun(first: number, bodyBytes: number, cookie = 0x2112a442): Buffer {
  const message = Buffer.alloc(20 + bodyBytes);
  message.writeUInt8(first, 0);
  message.writeUInt16BE(bodyBytes, 2);
  message.writeUInt32BE(cookie, 4);
  return message;
}

test('the first byte says what a datagram is (RFC 9443)', (t) => {
  for (let first = 4; first < 256; first++) {
    const expected =
      first >= 0x80 ? 'long-header' : first >= 0x40 ? 'short-header' : first === PATH_PROBE ? 'path-probe' : 'other';
    t.is(kindOf(Uint8Array.of(first)), expected, `0x${first.toString(16)}`);
    t.is(kindOf(Buffer.alloc(1_200, first)), expected, `1,200 times 0x${first.toString(16)}`);
  }
  t.is(kindOf(new Uint8Array(0)), 'garbage');
});

test('below 4 it is STUN, or nothing (RFC 8489 §5)', (t) => {
  for (const first of [0, 1, 2, 3]) {
    for (const bodyBytes of [0, 4, 548]) t.is(kindOf(stun(first, bodyBytes)), 'other');
    t.is(kindOf(stun(first, 2)), 'garbage', 'a body that is not padded');
    t.is(kindOf(stun(first, 4, 0x2112a443)), 'garbage', 'another cookie');
    t.is(kindOf(stun(first, 8).subarray(0, 27)), 'garbage', 'cut short');
    t.is(kindOf(Buffer.concat([stun(first, 8), Buffer.of(0)])), 'garbage', 'a byte more');
    t.is(kindOf(Uint8Array.of(first)), 'garbage');
  }
});
