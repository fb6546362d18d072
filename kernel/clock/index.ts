export { clockErrors } from './errors.ts';
export { type LinkedSignal, linkSignals } from './linked-signal.ts';
export { seededRandom, systemRandom } from './random.ts';
export { systemClock } from './system-clock.ts';
export { VirtualClock, type VirtualClockOptions } from './virtual-clock.ts';
