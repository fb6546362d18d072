import type { Random } from '../sdk/clock.ts';
import type { AnyMessage } from '../sdk/message.ts';
import { rawFrame } from './frames.ts';

/** A message with one request that a working peer might send. */
export interface Sample {
  readonly message: AnyMessage;
  /** Of the frame it travels in. */
  readonly code: number;
  /** Of that frame. */
  readonly payload: unknown;
  readonly frame: Buffer;
}

/** Bytes for one stream. `fin` false: the stream is left open. */
export interface Attack {
  readonly name: string;
  readonly bytes: Buffer;
  readonly fin: boolean;
}

type Mutation = (sample: Sample, random: Random) => { bytes: Uint8Array; fin?: boolean };

const JUNK: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  1.5,
  1e308,
  '',
  'x'.repeat(300),
  [],
  {},
  [[[]]],
  '\u0000',
  '\ud800',
  { length: 1 },
];

/** Everything that may become of a frame on its way from somebody who means no good. */
export const MUTATIONS: Readonly<Record<string, Mutation>> = {
  valid: ({ frame }) => ({ bytes: frame }),
  truncated: ({ frame }, random) => ({ bytes: frame.subarray(0, random.integer(frame.length)) }),
  'left open': ({ frame }, random) => ({ bytes: frame.subarray(0, random.integer(frame.length)), fin: false }),
  'flipped bits': ({ frame }, random) => {
    const bytes = Buffer.from(frame);
    for (let flips = 1 + random.integer(8); flips > 0; flips--) {
      const at = random.integer(bytes.length);
      bytes[at] = (bytes[at] as number) ^ (1 << random.integer(8));
    }
    return { bytes };
  },
  'length too small': ({ code, frame }, random) => ({
    bytes: rawFrame(code, frame.subarray(5), random.integer(Math.max(1, frame.length - 5))),
  }),
  'length too large': ({ code, frame }, random) => ({
    bytes: rawFrame(code, frame.subarray(5), frame.length + random.integer(5_000)),
  }),
  oversize: ({ code, message }, random) => ({
    bytes: rawFrame(code, '', Math.min(0xffffffff, message.maxBytes + 300 + random.integer(2 ** 31))),
    fin: random.float() < 0.5,
  }),
  'deep JSON': ({ code }, random) => {
    const depth = 70 + random.integer(2_000);
    const open = random.float() < 0.5 ? '[' : '{"a":';
    return {
      bytes: rawFrame(code, open.repeat(depth) + (random.float() < 0.5 && open === '[' ? ']'.repeat(depth) : '')),
    };
  },
  'invalid UTF-8': ({ code, frame }, random) => {
    const payload = Buffer.from(frame.subarray(5));
    payload[random.integer(payload.length)] = 0x80 + random.integer(128);
    return { bytes: rawFrame(code, payload) };
  },
  'wrong type': ({ code, payload }, random) => ({ bytes: rawFrame(code, JSON.stringify(withJunk(payload, random))) }),
  'missing field': ({ code, payload }, random) => ({ bytes: rawFrame(code, JSON.stringify(without(payload, random))) }),
  'dangerous keys': ({ code, payload }) => {
    const text = JSON.stringify(payload);
    return {
      bytes: rawFrame(
        code,
        `${text.slice(0, -1)}${text === '{}' ? '' : ','}"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}`,
      ),
    };
  },
  'unknown code': ({ frame }, random) => {
    const bytes = Buffer.from(frame);
    bytes[0] = random.integer(256);
    return { bytes };
  },
  'unknown name': ({ payload }, random) => ({
    bytes: rawFrame(0xf0, JSON.stringify({ name: `acme/x${random.integer(1e9)}@1`, body: payload })),
  }),
  'random bytes': (_, random) => ({ bytes: random.bytes(random.integer(200)) }),
  'random payload': ({ code }, random) => ({ bytes: rawFrame(code, random.bytes(random.integer(200))) }),
  'bytes behind': ({ frame }, random) => ({
    bytes: Buffer.concat([frame, random.bytes(random.integer(500))]),
    fin: random.float() < 0.8,
  }),
  'two frames': ({ frame }) => ({ bytes: Buffer.concat([frame, frame]) }),
};

const NAMES = Object.keys(MUTATIONS);

/** One request at random, changed at random. */
export function attack(all: readonly Sample[], random: Random): Attack {
  const name = NAMES[random.integer(NAMES.length)] as string;
  const sample = all[random.integer(all.length)] as Sample;
  const { bytes, fin = true } = (MUTATIONS[name] as Mutation)(sample, random);
  return { name, bytes: Buffer.from(bytes), fin };
}

function withJunk(value: unknown, random: Random): unknown {
  const junk = JUNK[random.integer(JUNK.length)];
  if (typeof value !== 'object' || value === null || random.float() < 0.15) return junk;
  const copy: Record<string, unknown> = Array.isArray(value) ? ([...value] as never) : { ...value };
  const keys = Object.keys(copy);
  const key = keys[random.integer(Math.max(1, keys.length))] ?? 'extra';
  copy[key] = withJunk(copy[key], random);
  return copy;
}

function without(value: unknown, random: Random): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const copy: Record<string, unknown> = { ...value };
  const keys = Object.keys(copy);
  if (keys.length > 0) delete copy[keys[random.integer(keys.length)] as string];
  return copy;
}
