import { defineErrors } from '../../kernel/index.ts';

export const contentErrors = defineErrors('content', {
  'bad-post': {
    message: 'This post cannot be published: {reason}.',
    hint: 'Shorten or correct the text and post again.',
  },
  'bad-post-id': {
    message: '"{text}" is not a post id.',
    hint: 'A post id is 64 hex characters; `itsgoin post list` shows yours.',
  },
  'bad-cursor': {
    message: 'The cursor "{text}" is not one of ours.',
    hint: 'Pass the `next` value of the page before, or none for the first page.',
  },
  'no-such-post': {
    message: 'The post {id} is not stored here.',
    hint: 'It may be deleted, or its author is not followed; `itsgoin sync now` looks for missed posts.',
  },
  'not-author': {
    message: 'The post {id} is not yours; only its author can delete it.',
    hint: '`itsgoin post list` shows your own posts.',
  },
  'not-a-source': {
    message: '{peer} is not both followed and connected.',
    hint: '`itsgoin follow list` and `itsgoin peer list` show who is.',
  },
  misled: {
    message: 'The answers of {peer} were not what was asked for: {reason}.',
    hint: 'It is left alone for ten minutes; `itsgoin plugin inspect content` counts what was refused.',
  },
});
