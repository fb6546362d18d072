import { WaitList } from '../sdk/kit/wait-list.ts';
import { transportErrors } from './errors.ts';
import { QUEUED_OPENS_MAX, WAITING_WRITERS_MAX } from './limits.ts';
import type { TransportStream } from './transport.ts';

const OPENS = { max: QUEUED_OPENS_MAX, full: () => transportErrors.make('too-many-streams') };
const WRITERS = { max: WAITING_WRITERS_MAX, full: () => transportErrors.make('too-many-writers') };

/** Opens that wait, in order, for the peer's limit on one kind of stream. */
export function waitingOpens(): WaitList<TransportStream> {
  return new WaitList(OPENS);
}

/** Those who wait for one stream's write queue to shrink. */
export function waitingWriters(): WaitList {
  return new WaitList(WRITERS);
}
