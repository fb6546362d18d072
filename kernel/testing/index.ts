/** `itsgoin/testing`: real nodes in a network of the test's making. */
export { testNetwork, TestNetwork } from './test-network.ts';
export type { NodeRef, NodeSetup, TestContext, TestNetworkOptions } from './test-network.ts';
export type { TestNode } from './test-node.ts';
export { pluginContract } from './contract.ts';
export type { ContractCheck, ContractOptions } from './contract.ts';
export type { LogLine } from './log-lines.ts';
export type { Answer, HostileConnection, HostilePeer } from './hostile-peer.ts';
export { type Frame, messageFrame, rawFrame } from './frames.ts';
export type { PluginSettings } from './machine.ts';
export type { PluginPath } from './plugin-set.ts';
export { seededRandom } from '../clock/random.ts';
