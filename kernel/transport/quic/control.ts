import type { Hello } from '../admission.ts';

/**
 * Hello and Accept travel on the first uni-stream of each side (ids 2 and 3), which the layers above
 * never see. Both have the same 18 bytes:
 *
 * | bytes | meaning |
 * |---|---|
 * | 0 | layout version, 1 |
 * | 1 | flags: bit 0 the dialler insists |
 * | 2–9 | incarnation of the sender |
 * | 10–17 | incarnation of the receiver whose connection the sender holds, or zeros |
 */
export const CONTROL_BYTES = 18;
export const CLIENT_CONTROL_STREAM = 2;
export const SERVER_CONTROL_STREAM = 3;

const LAYOUT = 1;
const INSISTS = 0x01;
const NONE = '0000000000000000';

export function encodeHello(hello: Hello): Uint8Array {
  return Buffer.concat([
    Uint8Array.of(LAYOUT, hello.insists ? INSISTS : 0),
    Buffer.from(hello.incarnation, 'hex'),
    Buffer.from(hello.holds ?? NONE, 'hex'),
  ]);
}

/** Undefined when the bytes are none of ours. */
export function decodeHello(bytes: Uint8Array): Hello | undefined {
  if (bytes.length !== CONTROL_BYTES || bytes[0] !== LAYOUT) return undefined;
  const hex = Buffer.from(bytes).toString('hex');
  const holds = hex.slice(20);
  return {
    incarnation: hex.slice(4, 20),
    holds: holds === NONE ? undefined : holds,
    insists: ((bytes[1] ?? 0) & INSISTS) !== 0,
  };
}
