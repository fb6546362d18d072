import { defineErrors } from '../../kernel/index.ts';

export const resolveErrors = defineErrors('resolve', {
  unreachable: {
    message: 'No way to {node_id} was found.',
    hint: '`itsgoin peer explain <node id>` shows the steps tried.',
    retryable: true,
  },
  'held-off': {
    message: 'You disconnected {node_id}.',
    hint: '`itsgoin peer connect <connect string>` brings it back.',
  },
  declined: {
    message: '{node_id} disconnected us of late.',
    hint: 'Only a person may try again before a quarter of an hour has passed: `itsgoin peer connect <connect string>`.',
    retryable: true,
  },
  busy: {
    message: 'Too many nodes are being looked for at once.',
    hint: 'Try again in a few seconds.',
    retryable: true,
  },
});
