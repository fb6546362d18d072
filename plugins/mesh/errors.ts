import { defineErrors } from '../../kernel/index.ts';

export const meshErrors = defineErrors('mesh', {
  'blacklist-full': {
    message: 'The mesh blacklist has {max} nodes already.',
    hint: 'Take one off with `itsgoin mesh blacklist-remove <node id>`.',
  },
});
