import type { ConfigFault } from './resolve.ts';

/** Kernel settings of `config.json`, under `"node"`; each key states live or restart in its schema. */
export interface NodeConfig {
  /** UDP port to listen on; 0 takes a free one and remembers it. */
  readonly port: number;
  /** Address to bind; empty is every interface, IPv6 and IPv4. */
  readonly bind: string;
  /** Extra `host:port` texts to advertise, best first. */
  readonly advertise: readonly string[];
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
  /** CIDR ranges counted as public though they are documentation or private ones (laboratories). */
  readonly treatAsPublic: readonly string[];
  /** Connections that strangers of one address block may dial to this node. */
  readonly connectionsPerAddress: number;
  /** Places for connections that strangers do not get. */
  readonly connectionsKept: number;
  /** CIDR texts of ranges whose addresses have no share. */
  readonly sharesExcept: readonly string[];
}

/** `{data_dir}/config.json`: `{ node: {...}, plugins: { name: { enabled?, source?, config? } } }`. */
export interface ConfigFile {
  readonly node: NodeConfig;
  /** What the file says of a plugin, unvalidated; the plugin's own schema checks it at load. */
  plugin(name: string): { readonly enabled: boolean; readonly source: string | undefined; readonly config: unknown };
  /** Names of plugins the file gives a `source` for. */
  added(): readonly { name: string; source: string }[];
  /** Changes one plugin's entry and writes the file atomically. */
  setPlugin(
    name: string,
    change: { enabled?: boolean; source?: string | null; config?: Record<string, unknown> | undefined },
  ): void;
  /**
   * Changes one kernel key, or removes it when `value` is undefined; others that are wrong in the file stay as
   * they are. Says whether a restart is needed.
   * @throws config/unknown-key, config/bad-value, config/not-set
   */
  setNode(key: string, value: unknown): { restart: boolean };
  /** What of the kernel's keys in the file does not resolve. */
  nodeFaults(): readonly ConfigFault[];
  /** Calls `listener` after each change of a kernel key: for keys that count at once. */
  watchNode(listener: (node: NodeConfig) => void): void;
  toJSON(): unknown;
}
