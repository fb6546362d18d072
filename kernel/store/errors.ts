import { defineErrors } from '../sdk/errors.ts';

export const storeErrors = defineErrors('store', {
  'disk-full': {
    message: 'The disk that holds {path} is full; nothing of this change was stored',
    hint: 'Free some space and try again. Everything stored earlier is intact.',
    retryable: true,
  },
  'read-only': {
    message: 'Cannot write to {path}',
    hint: 'Check who owns the directory and its permissions, and that its disk is not mounted read-only.',
  },
  'not-a-directory': { message: '{path} is not a directory', hint: 'Name another directory with --data.' },
  busy: {
    message: 'Another program holds {path} locked',
    hint: 'Close other programs that have the database open.',
    retryable: true,
  },
  corrupt: {
    message: '{path} is damaged or not a database: {detail}',
    hint: 'Keep a copy of the file, then restore a backup or start over with `itsgoin reset`; your identity is not in it.',
  },
  'io-failed': { message: 'The disk failed on {path}: {detail}', hint: 'Check the disk.' },
  'newer-schema': {
    message: '{path} was written by a newer version: {owner} knows nothing of {steps}',
    hint: 'Start the newer version of itsgoin, or use another data directory. Nothing was changed.',
  },
  'migration-failed': { message: 'Schema step {id} of {owner} failed: {detail}', hint: 'Nothing was changed.' },
  'bad-migration': { message: 'The schema steps of {owner} are wrong at {id}: {detail}' },
  'async-transaction': { message: 'A transaction of {owner} returned a promise and was rolled back' },
  'transaction-lost': { message: 'SQLite rolled the whole transaction back after: {detail}' },
  'forbidden-statement': { message: '{owner} may not run {verb} itself', hint: 'Use transaction() and migrations.' },
  'foreign-table': {
    message: '{owner} may not touch the table {table} of {other}',
    hint: 'Use the service of the plugin it belongs to; docs/plugin-guide.md, "A provider, a table and a point".',
  },
  'table-name': { message: 'The table {name} of {owner} must have a name like {prefix}…' },
  closed: { message: '{path} is closed' },
  locked: {
    message: 'A node is already running on {dir} ({holder})',
    hint: 'Use that one (every `itsgoin` command finds it), stop it with `itsgoin shutdown`, or choose another --data.',
  },
  'bad-data-file': { message: 'The file {name} cannot be read: its name is no plain .json name, or it is over 1 MiB.' },
  'bad-cid': { message: '{cid} is not the name of a blob' },
  'no-blob': { message: 'The blob {cid} is not here', peerVisible: true },
  'blob-range': {
    message: 'The blob {cid} has {size} bytes; asked for were {length} from {offset}',
    peerVisible: true,
  },
  'blob-damaged': { message: 'The file of the blob {cid} is shorter than it was', hint: 'Check the disk.' },
  'blob-too-large': { message: 'The blob has more than {max} bytes', peerVisible: true },
  'wrong-cid': { message: 'The bytes are those of {cid}, not of {expectedCid}' },
  'blobs-busy': { message: '{limit} files of blobs are open already', retryable: true, peerVisible: true },
  'queue-full': { message: '{capacity} writes are waiting already', retryable: true, peerVisible: true },
});
