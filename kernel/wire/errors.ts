import { defineErrors } from '../sdk/errors.ts';

export const wireErrors = defineErrors('wire', {
  'not-connected': {
    message: 'no connection to {peer}',
    hint: 'connect to it first; `peer list` shows who is connected',
    retryable: true,
  },
  'connection-closed': { message: 'the connection closed before {name} was done ({reason})', retryable: true },
  'connection-refused': {
    message: 'the peer refused the connection ({reason}) and did not read {name}',
    retryable: true,
  },
  unsupported: { message: 'the peer does not support {name}' },
  'rate-limited': { message: 'the peer takes no more {name} for now', retryable: true },
  'over-capacity': { message: 'the peer is over its capacity for {name}', retryable: true },
  interrupted: { message: 'the peer reloaded the plugin that served {name}', retryable: true },
  refused: { message: 'the peer refused {name}: {code}' },
  deadline: { message: '{name} was not done within {ms} ms', retryable: true },
  'raw-not-offered': {
    message: 'raw bytes behind {name} need a peer that has offered raw-blob',
    retryable: true,
  },
  'raw-truncated': { message: 'only {bytes} of {length} raw bytes came behind {name}' },
  'raw-too-long': { message: 'more than the announced {length} raw bytes came behind {name}' },
  'raw-aborted': { message: 'the peer gave up the raw bytes behind {name}', retryable: true },
  'bad-response': { message: 'the answer to {name} is not valid: {reason}' },
  'bad-body': { message: 'the body of {name} does not match its schema: {reason}' },
  malformed: { message: 'malformed payload: {reason}' },
  'too-large': { message: '{name} has {bytes} bytes, more than the {limit} allowed' },
  'duplicate-message': { message: '{name} of plugin {owner} is already served by plugin {other}' },
  'not-in-catalogue': {
    message: '{name} of plugin {owner} is not as the catalogue says: {reason}',
    hint: 'messages of your own have no code and a name like vendor/message@1',
  },
  closed: { message: 'the node is shutting down' },
});
