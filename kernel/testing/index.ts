/** `itsgoin/testing`: real nodes in a network of the test's making. */
export { testNetwork, TestNetwork } from './test-network.ts';
export type { NodeRef } from './test-network.ts';
export type { NodeSetup, OneNode, TestContext, TestNetworkOptions } from './setup.ts';
export type { Dial } from './dial-log.ts';
export type { TestNode } from './test-node.ts';
export { pluginContract } from './contract.ts';
export type { ContractCheck, ContractOptions } from './contract.ts';
export type { LogLine } from './log-lines.ts';
export type { Answer, HostileConnection, HostilePeer } from './hostile-peer.ts';
export { type Frame, messageFrame, rawFrame } from './frames.ts';
export { type PluginSettings, testIdentity } from './machine.ts';
export type { PluginSource } from './plugin-set.ts';
export { standIn } from './stand-in.ts';
export { seededRandom } from '../clock/random.ts';
