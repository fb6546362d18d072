/** Sends numbered datagrams from one node of a lab to another, as a program that is run in each. */
import { createSocket } from 'node:dgram';
import { setTimeout as pause } from 'node:timers/promises';

const PORT = 7_000;
/** What the last datagram may take after the others. */
const REST_MS = 500;
const BATCH = 10;

export interface Arrivals {
  readonly count: number;
  /** From sending to arrival: one clock serves all nodes. */
  readonly leastMs: number;
  readonly mostMs: number;
}

const monotonicMs = (): number => Number(process.hrtime.bigint() / 1_000n) / 1_000;

if (import.meta.main) {
  const [role, address = '', count = '0', bytes = '0'] = process.argv.slice(2);
  if (role === 'send') await send(address, Number(count), Number(bytes));
  else receive();
}

async function send(address: string, count: number, bytes: number): Promise<void> {
  const socket = createSocket('udp4');
  const datagram = Buffer.alloc(bytes);
  for (let n = 0; n < count; n++) {
    datagram.writeDoubleBE(monotonicMs());
    await new Promise((resolve) => socket.send(datagram, PORT, address, resolve));
    if (n % BATCH === BATCH - 1) await pause(1);
  }
  socket.close();
}

/** Says what came once nothing has come for a while. */
function receive(): void {
  const delays: number[] = [];
  const socket = createSocket('udp4');
  let end: NodeJS.Timeout | undefined;
  socket.on('message', (datagram) => {
    delays.push(monotonicMs() - datagram.readDoubleBE());
    clearTimeout(end);
    end = setTimeout(() => {
      const arrivals: Arrivals = { count: delays.length, leastMs: Math.min(...delays), mostMs: Math.max(...delays) };
      process.send?.(arrivals);
      process.disconnect?.();
      socket.close();
    }, REST_MS);
  });
  socket.bind(PORT, () => process.send?.('ready'));
}
