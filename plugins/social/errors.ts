import { defineErrors } from '../../kernel/index.ts';

export const socialErrors = defineErrors('social', {
  'bad-profile': {
    message: 'The profile cannot be used: {reason}.',
    hint: 'Name up to 64 and bio up to 1,000 characters, without control characters.',
    peerVisible: true,
  },
  'bad-following': {
    message: 'The peer does not say whether it follows.',
    peerVisible: true,
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
  'no-follower': {
    message: '{node_id} is not among your followers.',
    hint: '`itsgoin follower list` shows them; `--block` keeps one from becoming one.',
  },
  'not-blocked': {
    message: '{node_id} is not blocked.',
    hint: '`itsgoin follower blocked` shows whom you blocked.',
  },
  'too-many-blocked': {
    message: 'You blocked {count} nodes already, which is the limit.',
    hint: 'Let one follow again with `itsgoin follower unblock <node id>`.',
  },
});
