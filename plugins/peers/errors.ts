import { defineErrors } from '../../kernel/index.ts';

/** Their codes begin as they did when all of this was mesh: other nodes read two of them, and scripts the rest. */
export const peersErrors = defineErrors('mesh', {
  'bad-connect-string': {
    message: 'This is not a connect string: {reason}.',
    hint: 'It looks like <node id>@<host>:<port>; the other node prints its own with `itsgoin identity show`.',
  },
  'own-node': {
    message: 'That is your own node.',
    hint: 'Ask the other person for the connect string of theirs.',
  },
  'not-a-peer': {
    message: 'There is no connection to {node_id}.',
    hint: '`itsgoin peer list` shows who is connected.',
  },
  'unknown-peer': {
    message: 'Nothing is known of {node_id}.',
    hint: 'Connect with `itsgoin peer connect <connect string>` first.',
  },
  'exchange-failed': {
    message: 'The handshake with the node failed: {reason}.',
    hint: '`itsgoin peer explain <node id>` shows the attempts.',
    retryable: true,
  },
  'protocol-mismatch': {
    message: 'The node speaks protocol {theirs}, this one {ours}.',
    hint: 'The older of the two needs an update.',
    peerVisible: true,
  },
  'wrong-sender': {
    message: 'The handshake names another node than the connection proves.',
    peerVisible: true,
  },
  'not-dialable': {
    message: 'There is no address at which {node_id} may be dialled.',
    hint: 'What others tell is dialled only where they are seen themselves, or on the Internet.',
  },
  'over-budget': {
    message: 'The addresses told of {node_id} were dialled in vain too often of late.',
    retryable: true,
  },
  busy: { message: 'Too many nodes are being dialled at once.', retryable: true },
  'called-off': { message: 'The dial is not needed any more.' },
});
