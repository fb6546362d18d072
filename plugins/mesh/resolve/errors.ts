import { defineErrors } from '../../../kernel/index.ts';

export const resolveErrors = defineErrors('resolve', {
  unreachable: {
    message: 'No way to {node_id} was found.',
    hint: '`itsgoin peer explain <node id>` shows the steps tried.',
    retryable: true,
  },
  busy: {
    message: 'Too many nodes are being looked for at once.',
    hint: 'Try again in a few seconds.',
    retryable: true,
  },
});
