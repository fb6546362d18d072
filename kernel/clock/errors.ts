import { defineErrors } from '../sdk/errors.ts';

export const clockErrors = defineErrors('clock', {
  deadline: { message: 'Not done within {deadlineMs} ms', retryable: true, peerVisible: true },
  'already-running': { message: 'The virtual clock is already being advanced', hint: 'Await the first call.' },
  stalled: { message: 'Still pending after {limitMs} ms of virtual time' },
});
