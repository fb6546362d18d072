import { defineErrors } from '../../kernel/index.ts';

export const keepAliveErrors = defineErrors('keep-alive', {
  'bad-node-id': {
    message: '"{text}" is no node id.',
    hint: 'A node id is 64 hex characters.',
  },
  'not-needed': {
    message: 'Nothing here needs {node_id} to stay findable.',
    hint: 'Needed are those you follow, those who follow you, and whom conversations and files concern.',
  },
});
