import { defineErrors } from '../../kernel/index.ts';

export const anchorsErrors = defineErrors('anchors', {
  'bad-anchor-list': {
    message: 'The anchor list {source} cannot be used: {reason}.',
    hint: 'It is a JSON array of connect strings: ["<node id>@<host>:<port>", ...].',
  },
  'no-anchors': {
    message: 'No anchor is known.',
    hint: 'Name one in anchors.json, or connect to a node with `itsgoin peer connect <connect string>`.',
  },
  'bad-talk': { message: 'What the peer says of anchors cannot be used: {reason}.', peerVisible: true },
  'unasked-result': {
    message: 'The peer sent the result of a probe that nobody asked it for.',
    peerVisible: true,
    blamesPeer: true,
  },
  'not-introduced': { message: '{node_id} could not be introduced.', retryable: true },
});
