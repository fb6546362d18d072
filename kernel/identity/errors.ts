import { defineErrors } from '../sdk/errors.ts';

const RESTORE_HINT = 'Restore it from a backup, or import an exported identity; deleting it gives you a new identity.';

export const identityErrors = defineErrors('identity', {
  'bad-key-file': { message: '{path} is not a key: it has {bytes} bytes instead of 32', hint: RESTORE_HINT },
  unreadable: { message: 'Cannot read {path}: {detail}', hint: 'Check who owns the file and its permissions.' },
  'bad-domain': { message: 'A domain is like `itsgoin/post/v1`, not {domain}' },
  'bad-public-key': { message: 'This is no key that anything can be sealed to' },
  'bad-seed': { message: 'A key is made of 32 bytes, not of {bytes}' },
  'unknown-seal-key': { message: 'This key was not made by the sealer of this node' },
  'too-long': { message: 'More than {max} bytes at once' },
  'bad-passphrase': { message: 'The passphrase is too short', hint: 'Use at least {minimum} characters.' },
  'wrong-passphrase': { message: 'The passphrase does not open this identity' },
  'not-an-export': {
    message: 'This is not an exported identity',
    hint: 'It is the text that `itsgoin identity export` gave.',
  },
  'export-damaged': {
    message: 'The exported identity is damaged',
    hint: 'Some of its text was changed or lost on the way.',
  },
  'export-newer': {
    message: 'The identity was exported by a newer version (format {version})',
    hint: 'Update itsgoin.',
  },
  'other-identity': {
    message: 'This data directory already belongs to {node_id}',
    hint: 'Use --force to replace it; the present key is kept beside it as a backup.',
  },
});
