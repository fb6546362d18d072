import { createCounters } from '../../kernel/observe/index.ts';
import { systemClock } from '../../kernel/clock/index.ts';
import { createDispatcher } from '../../kernel/wire/index.ts';
import { connectionPair, testPeer } from '../../test/wire/pair.ts';
import { ECHO_BODY, codedEcho, echo, parallelRate, serialRate } from './echo.ts';

const SILENT = { debug() {}, info() {}, warn() {}, error() {} };

export interface WireAlone {
  readonly serialPerSecond: number;
  readonly parallelPerSecond: number;
  readonly tracedParallelPerSecond: number;
  readonly extensionParallelPerSecond: number;
}

/**
 * Framing, schema, dispatch and handler between two dispatchers over a stream pair that only hands
 * buffers over: what the layers above the transport cost.
 */
export async function measureWireAlone(ms = 1_000): Promise<WireAlone> {
  const clock = systemClock();
  const side = () => createDispatcher({ clock, counters: createCounters().of('wire'), log: SILENT });
  const [here, there] = [side(), side()];
  there.router.install('bench', [
    { message: echo, handler: (body) => body },
    { message: codedEcho, handler: (body) => body },
  ]);
  const [near, far] = connectionPair(testPeer('a'), testPeer('b'), { wipe: false });
  here.attach(near);
  there.attach(far);
  const coded = () => here.send(near, codedEcho, ECHO_BODY);
  const serialPerSecond = await serialRate(coded, ms);
  const parallelPerSecond = await parallelRate(coded, 50, ms);
  const extensionParallelPerSecond = await parallelRate(() => here.send(near, echo, ECHO_BODY), 50, ms);
  const silence = there.trace.subscribe(() => {});
  const tracedParallelPerSecond = await parallelRate(coded, 50, ms);
  silence();
  here.close();
  there.close();
  return { serialPerSecond, parallelPerSecond, tracedParallelPerSecond, extensionParallelPerSecond };
}

if (import.meta.main) console.log(await measureWireAlone());
