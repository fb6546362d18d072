import { defineErrors } from '../../kernel/index.ts';

export const socialErrors = defineErrors('social', {
  'bad-profile': {
    message: 'The profile cannot be used: {reason}.',
    hint: 'Name up to 64 and bio up to 1,000 characters, without control characters.',
    peerVisible: true,
  },
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
  'mesh-off': {
    message: 'Contacts cannot be reached while peers is off.',
    hint: '`itsgoin plugin enable peers`',
    retryable: true,
  },
  'no-contact': {
    message: 'You do not follow {node_id}, and it did not tell that it follows you.',
    hint: 'See `itsgoin follow list` and `itsgoin follower list`.',
  },
  'empty-change': {
    message: 'There is nothing to change.',
    hint: 'Give --name, --bio or both.',
  },
  'no-profile': {
    message: 'No profile of {node_id} is known.',
    hint: 'It comes when the node is connected; your own is made with `itsgoin profile set --name ...`.',
  },
  'own-node': {
    message: 'That is you.',
    hint: 'Your own posts are in your feed without following yourself.',
  },
  'not-following': {
    message: 'You do not follow {node_id}.',
    hint: '`itsgoin follow list` shows whom you follow.',
  },
  'too-many-follows': {
    message: 'You follow {count} nodes already, which is the limit.',
    hint: 'Remove one with `itsgoin follow remove <node id>`.',
  },
});
