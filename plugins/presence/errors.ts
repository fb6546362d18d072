import { defineErrors } from '../../kernel/index.ts';

export const presenceErrors = defineErrors('presence', {
  'bad-address-record': {
    message: 'The address record cannot be used: {reason}.',
    hint: 'It is made and signed by the node it is about; a clock that is wrong there can be the cause.',
    peerVisible: true,
  },
  'forged-address-record': {
    message: 'The address record was not signed by the node it is about.',
    peerVisible: true,
    blamesPeer: true,
  },
  'peers-off': {
    message: 'Contacts cannot be reached while peers is off.',
    hint: '`itsgoin plugin enable peers`',
    retryable: true,
  },
  'no-contact': {
    message: 'You do not follow {node_id}, and it did not tell that it follows you.',
    hint: 'See `itsgoin follow list` and `itsgoin follower list`.',
  },
});
