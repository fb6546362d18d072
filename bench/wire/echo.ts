import { Type, defineRequest } from '../../kernel/index.ts';

/** The exchange all wire benchmarks send: about 100 bytes of JSON each way. */
export const echo = defineRequest({
  name: 'bench/echo@1',
  about: 'Gives back what it got',
  body: Type.Object({ id: Type.String({ maxLength: 64 }), n: Type.Integer(), ok: Type.Boolean() }),
  maxBytes: 4_096,
  budget: { perSecond: 1e9, burst: 1e9, inFlight: 1_000 },
  response: { body: Type.Object({ id: Type.String(), n: Type.Integer(), ok: Type.Boolean() }), maxBytes: 4_096 },
});

/** The same under a code of the catalogue, as built-in messages travel. */
export const codedEcho = defineRequest({
  ...echo,
  code: 0xd4,
  name: 'PostFetchRequest',
  response: { ...echo.response, code: 0xd5, name: 'PostFetchResponse' },
});

export const ECHO_BODY = { id: 'a'.repeat(64), n: 12_345, ok: true };

/** Calls `once` one after another for about `ms`; gives calls per second. */
export async function serialRate(once: () => Promise<unknown>, ms: number): Promise<number> {
  for (let warm = 0; warm < 500; warm++) await once();
  let count = 0;
  const start = performance.now();
  while (performance.now() - start < ms) {
    for (let batch = 0; batch < 20; batch++) await once();
    count += 20;
  }
  return (count * 1_000) / (performance.now() - start);
}

/** The same with `width` calls under way at all times. */
export async function parallelRate(once: () => Promise<unknown>, width: number, ms: number): Promise<number> {
  let count = 0;
  const start = performance.now();
  const lane = async () => {
    while (performance.now() - start < ms) {
      await once();
      count++;
    }
  };
  await Promise.all(Array.from({ length: width }, lane));
  return (count * 1_000) / (performance.now() - start);
}
