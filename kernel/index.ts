/** The only door to the kernel: what a plugin may import. */
export { Type } from 'typebox';
export type { Static, TSchema } from 'typebox';
export * from './sdk/clock.ts';
export * from './sdk/command.ts';
export * from './sdk/database.ts';
export * from './sdk/errors.ts';
export * from './sdk/identifiers.ts';
export * from './sdk/lease.ts';
export * from './sdk/lifecycle-topics.ts';
export * from './sdk/log.ts';
export * from './sdk/message.ts';
export * from './sdk/network.ts';
export * from './sdk/plugin.ts';
export * from './sdk/token.ts';
export * from './sdk/topic.ts';
