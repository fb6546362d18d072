import { defineTopic } from '../../kernel/index.ts';
import type { PeerId } from '../../kernel/index.ts';

/** A connection finished its handshake. Once a connection; a swap of peers may repeat it. */
export const peerReady = defineTopic<{
  readonly peer: PeerId;
  readonly connectionId: number;
  readonly features: readonly string[];
}>('peers/ready');
/** A peer told of other features than before. */
export const peerFeaturesChanged = defineTopic<{
  readonly peer: PeerId;
  readonly connectionId: number;
  readonly features: readonly string[];
}>('peers/features-changed');
/** A connection that was a peer has ended. Another one to the same node may live. */
export const peerGone = defineTopic<{
  readonly peer: PeerId;
  readonly connectionId: number;
  readonly reason: string;
}>('peers/gone');
