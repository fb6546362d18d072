import { defineErrors } from '../../kernel/index.ts';

export const keepAliveErrors = defineErrors('keep-alive', {
  'not-needed': {
    message: 'Nothing here needs {node_id} to stay findable.',
    hint: 'Needed are those you follow, those who follow you, and whom conversations and files concern.',
  },
});
