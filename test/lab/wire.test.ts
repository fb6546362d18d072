import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { Lab } from '../../lab/lab.ts';
import { LabError, planNodes } from '../../lab/nodes.ts';
import { missing } from '../../lab/tools.ts';
import type { Arrivals } from './datagrams.ts';

const PROGRAM = fileURLToPath(new URL('datagrams.js', import.meta.url));
const BYTES = 500;
const lacking = missing();

/** Sends datagrams from one public node to another, whose link has these options. */
async function sent(options: string, count: number): Promise<Arrivals> {
  const lab = await Lab.up(`w${process.pid.toString(36)}`, ['pub:near', `pub:far,${options}`]);
  try {
    const start = (node: string, ...args: string[]) => {
      const [command = '', ...rest] = [...lab.within(node), process.execPath, PROGRAM, ...args];
      return spawn(command, rest, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'], timeout: 20_000 });
    };
    const receiver = start('far', 'receive');
    const ended = once(receiver, 'exit');
    await once(receiver, 'message');
    await once(start('near', 'send', lab.node('far').address, String(count), String(BYTES)), 'exit');
    const [arrivals] = (await Promise.race([once(receiver, 'message'), ended])) as [Arrivals];
    await ended;
    return arrivals;
  } finally {
    await lab.down();
  }
}

const measured: (title: string, run: (t: ExecutionContext) => Promise<void>) => void =
  lacking === undefined ? test.serial : unmeasured;

/** Where there can be no lab, that is what one is told. */
function unmeasured(title: string, _test: (t: ExecutionContext) => Promise<void>): void {
  test(`${title} (cannot be measured here)`, async (t) => {
    await t.throwsAsync(Lab.up('w', ['pub:near', 'pub:far']), { instanceOf: LabError, message: lacking ?? '' });
  });
}

measured('a wire loses and delays what it is told', async (t) => {
  const { count, leastMs } = await sent('delay=40,loss=20', 1_000);
  // Six standard deviations to either side.
  t.true(count > 1_000 * 0.724 && count < 1_000 * 0.876, `${count} of 1,000 came`);
  t.true(leastMs >= 39, `after ${leastMs} ms`);
});

measured('a wire with a rate queues up to its limit and drops the rest', async (t) => {
  // 500 datagrams of 542 bytes are 2.2 Mbit: sent in 0.1 s, carried in a second, of which it holds a fifth.
  const { count, mostMs } = await sent('rate=2000,queue=200', 500);
  t.true(count > 80 && count < 300, `${count} of 500 came`);
  t.true(mostMs > 150 && mostMs < 400, `the last after ${mostMs} ms`);
});

test('what cannot be made is refused before anything is made', (t) => {
  const refused = (...specs: string[]): string =>
    t.throws(() => planNodes('w', specs), { instanceOf: LabError })?.message ?? '';
  t.regex(refused('pub:a,nat=edm/port'), /no option nat/);
  t.regex(refused('pub:a,delay=fast'), /delay is a number/);
  t.regex(refused('home:h,nat=cone'), /nat is/);
  t.regex(refused('home:h,via=c'), /via names no router/);
  t.regex(refused('pub:a', 'home:a'), /is taken/);
  t.regex(refused('server:a'), /pub:NAME/);
  t.regex(refused('pub:a;reboot'), /small letters/);
  t.regex(refused('home:h,lan=10.0.0.0/8'), /\/24/);
});
