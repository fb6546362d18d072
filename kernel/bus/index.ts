export type { Bus, BusEvent } from './bus.ts';
export { type BusOptions, createBus } from './create-bus.ts';
