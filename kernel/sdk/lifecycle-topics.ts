import { defineTopic } from './topic.ts';

/** A plugin was swapped, switched, refused or rolled back. */
export const pluginChanged = defineTopic<{
  readonly name: string;
  readonly version: string;
  readonly state: 'active' | 'off' | 'failed';
  readonly generation: number;
  readonly outcome: 'committed' | 'refused' | 'rolled-back' | 'disabled';
  readonly reason: string | undefined;
}>('plugin/changed');

/** A service can be called from now on: its provider was enabled. A swap of the provider is not an arrival. */
export const serviceArrived = defineTopic<{ readonly token: string; readonly plugin: string }>('service/arrived');

/** A service is off: its provider was disabled or failed. */
export const serviceDeparted = defineTopic<{ readonly token: string; readonly plugin: string }>('service/departed');

/** A contribution came to a point or went from it. The swap of a contributor that keeps it is no event. */
export const contributionsChanged = defineTopic<{ readonly point: string }>('point/contributions-changed');

/** What this node offers to peers changed: a plugin came, went, or handles other messages than before. */
export const featuresChanged = defineTopic<{ readonly features: readonly string[] }>('node/features-changed');
