import { defineErrors } from '../../kernel/index.ts';

export const wormErrors = defineErrors('worm-search', {
  'bad-id': {
    message: '"{text}" is not an id.',
    hint: 'Node, post and blob ids are 64 hex characters.',
  },
  'cooling-down': {
    message: 'A search for this {kind} found nothing a moment ago.',
    hint: 'The next one is made in {seconds} s.',
    retryable: true,
  },
  busy: {
    message: 'Too many searches are under way ({max}).',
    hint: 'Each ends within three seconds; try again then.',
    retryable: true,
  },
});
