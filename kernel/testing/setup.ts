import type { LinkOptions } from '../transport/memory/network.ts';
import type { PluginSettings } from './machine.ts';
import type { PluginSource } from './plugin-set.ts';

export interface NodeSetup {
  /** Plugins under test: folders, files, or plugins the test wrote itself. */
  readonly plugins?: readonly PluginSource[];
  /** Plugins that ship with itsgoin, by name, beside those that the others need; or all of them. Default: only what is needed. */
  readonly builtin?: readonly string[] | 'all';
  /** Settings of plugins: `{ hello: { greeting: 'hi' } }`. */
  readonly config?: PluginSettings;
  /** Whether nodes go on when a plugin does not start, as they do in life. Default: `testing/not-active`. */
  readonly mayFail?: boolean;
  /** The user's files in the data directory, by name: `{ 'anchors.json': '[]' }`. */
  readonly files?: Readonly<Record<string, string>>;
}

/** One node more. */
export interface OneNode extends NodeSetup {
  /** What errors call it, and what its keys are made of. Default: `node` and its number. */
  readonly name?: string;
  /** A data directory that is there already, with its keys, its config and what is stored; it is not removed. */
  readonly dataDir?: string;
  /** Its IP address. */
  readonly host?: string;
}

export interface TestNetworkOptions extends NodeSetup {
  /** How many to start with. Default 2. */
  readonly nodes?: number;
  /** The same seed makes the same keys and the same choices. Default 1. */
  readonly seed?: number | string;
  /** The IP address of the node with this number, from 0, where it has none of its own. Default: each in another /16. */
  readonly hostOf?: (number: number) => string;
  /** The way between any two nodes. Default: no delay, no loss. */
  readonly link?: Partial<LinkOptions>;
  /** The context of a test, node:test's or AVA's: the network stops when the test ends. */
  readonly t?: TestContext;
}

/** What test runners call their "when the test is over". */
export interface TestContext {
  after?(done: () => Promise<void>): void;
  teardown?(done: () => Promise<void>): void;
}
