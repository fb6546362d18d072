import test from 'ava';
import { EndProcess } from '../../bench/peers/end-process.ts';
import { Lab } from '../../lab/lab.ts';
import { missing } from '../../lab/tools.ts';
import { temporaryDirectory } from '../rig/temporary.ts';

/** A transfer that takes each lost packet for a crowded link reaches 0.7 at most, and 0.2 in the long run. */
const RATE_MIN = 1.2;
const STALL_MAX_MS = 1_000;
const BYTES = 4_000_000;

test.serial('1 % loss and 100 ms between public addresses leave a transfer most of its rate', async (t) => {
  t.is(missing(), undefined);
  const lab = await Lab.up(`s${process.pid.toString(36)}`, [
    'pub:near',
    'pub:far,delay=50,loss=1,rate=100000,queue=100',
  ]);
  const dir = temporaryDirectory(t);
  const [near, far] = [new EndProcess(lab.within('near'), dir), new EndProcess(lab.within('far'), dir)];
  try {
    const contact = await far.call('start', { subject: 'itsgoin', host: lab.node('far').address });
    await near.call('start', { subject: 'itsgoin', host: lab.node('near').address });
    await near.call('connect', { contact, times: 1 });
    const transfers = [];
    for (let n = 0; n < 3; n++) transfers.push(await near.call('transfer', { bytes: BYTES }));
    const rates = transfers.map(({ rate }) => rate).toSorted((a, b) => a - b);
    t.log(`${rates.map((rate) => rate.toFixed(1)).join(', ')} MB/s`);
    t.true((rates[1] ?? 0) > RATE_MIN, `${rates[1]} MB/s`);
    for (const { stallMs } of transfers) t.true(stallMs < STALL_MAX_MS, `${stallMs} ms`);
  } finally {
    await Promise.all([near.stopped(), far.stopped()]);
    await lab.down();
  }
});
