import { Lab } from '../../lab/lab.ts';
import type { SubjectName } from '../peers/end.ts';
import { EndProcess } from '../peers/end-process.ts';

/** A link at which two flows meet: as fast as an upload at home, with a queue of one BDP. */
const LINK = { rttMs: 40, rateMbit: 20 };
const BYTES = 10_000_000;

/**
 * What part of the link the first of two flows gets that start together and carry the same. While one still runs the
 * link is full; so the first to end, at t1 of t2, had t2 / 2 t1 of it.
 */
export async function shareOf(one: SubjectName, beside: SubjectName, tmpDir: string): Promise<number> {
  const options = `delay=${LINK.rttMs / 2},rate=${LINK.rateMbit * 1_000},queue=${LINK.rttMs}`;
  const lab = await Lab.up(`f${process.pid.toString(36)}`, ['pub:near', `pub:far,${options}`]);
  const ends: EndProcess[] = [];
  const start = async (subject: SubjectName): Promise<EndProcess> => {
    const [near, far] = (['near', 'far'] as const).map((node) => new EndProcess(lab.within(node), tmpDir)) as [
      EndProcess,
      EndProcess,
    ];
    ends.push(near, far);
    const contact = await far.call('start', { subject, host: lab.node('far').address });
    await near.call('start', { subject, host: lab.node('near').address });
    await near.call('connect', { contact, times: 1 });
    return near;
  };
  try {
    const flows = [await start(one), await start(beside)];
    const seconds = await Promise.all(
      flows.map(async (near) => BYTES / 1_000_000 / (await near.call('transfer', { bytes: BYTES })).rate),
    );
    const [mine = 0, theirs = 0] = seconds;
    return mine < theirs ? theirs / 2 / mine : 1 - mine / 2 / theirs;
  } finally {
    await Promise.all(ends.map((end) => end.stopped()));
    await lab.down();
  }
}
