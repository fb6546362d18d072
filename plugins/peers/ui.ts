import { contribute, STALE_ANSWERS } from '../../kernel/index.ts';
import { peerFeaturesChanged, peerGone, peerReady } from './api.ts';

/** When the terminal UI's list of peers is to be read anew. */
export const peersUi = [
  contribute(STALE_ANSWERS, [
    {
      topics: [peerReady.name, peerGone.name, peerFeaturesChanged.name],
      commands: ['peer.list', 'status', 'mesh.slots'],
    },
  ]),
];
