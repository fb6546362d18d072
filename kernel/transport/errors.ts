import { defineErrors } from '../sdk/errors.ts';

export const transportErrors = defineErrors('transport', {
  'dial-timeout': {
    message: 'no answer within {ms} ms',
    hint: 'Check the address, and that the other node is running.',
    retryable: true,
  },
  'wrong-node': { message: 'the node at {address} is not the one that was expected' },
  'bad-certificate': { message: 'a certificate was refused: {reason}' },
  refused: { message: 'the other node refused the connection: {reason}', retryable: true },
  unreachable: {
    message: 'none of the addresses can be reached',
    hint: 'Check the network connection.',
    retryable: true,
  },
  'bad-address': { message: 'not a host:port address: {text}', hint: 'Write 192.0.2.1:4433 or [2001:db8::1]:4433.' },
  'bind-failed': { message: 'cannot listen on {address}: {reason}', hint: 'Choose another port in the configuration.' },
  'too-many-streams': { message: 'too many streams wait for the peer to allow more', retryable: true },
  'too-many-writers': { message: 'too many writers wait for one stream', retryable: true },
  'too-many-connections': { message: 'the limit of {limit} connections is reached', retryable: true },
  'too-many-sockets': { message: 'the limit of {limit} sockets is reached', retryable: true },
  'bad-prefix': { message: 'a prefix has 1 to 16 bytes, of which the first is below 0x40 and not 0x20' },
  'prefix-taken': { message: 'datagrams that begin so go to the plugin {owner} already' },
  'too-many-prefixes': { message: 'the limit of {limit} prefixes on a socket is reached' },
  'stream-ended': { message: 'the stream ended before the bytes were taken' },
  closed: { message: 'the connection is closed: {reason}', retryable: true },
});
