import { fileURLToPath } from 'node:url';
import type { Bus } from './bus/bus.ts';
import { createBus } from './bus/index.ts';
import { systemClock, systemRandom } from './clock/index.ts';
import { type Given, openConfig } from './config/index.ts';
import { isKernelCommand } from './control/api.ts';
import { type ControlServer, startControl } from './control/server.ts';
import { makeCredentials } from './identity/certificate.ts';
import { blake3Hasher, createSealer, loadIdentity } from './identity/index.ts';
import { listenOptions } from './listen-options.ts';
import { noted, THIRD_PARTY } from './lifecycle/attribution.ts';
import { Resources } from './lifecycle/container.ts';
import { lifecycleErrors } from './lifecycle/errors.ts';
import { Host } from './lifecycle/host.ts';
import { findPlugins } from './lifecycle/loader.ts';
import type { PluginHost } from './lifecycle/plugin-host.ts';
import { Points } from './lifecycle/points.ts';
import { PluginWatcher } from './lifecycle/plugin-watcher.ts';
import { type Held, RunMarks, takeHung } from './lifecycle/run-marks.ts';
import { Scope, within } from './lifecycle/scope.ts';
import type { SharedCaller } from './lifecycle/shared-caller.ts';
import { Services } from './lifecycle/services.ts';
import type { Caller } from './lifecycle/stray-errors.ts';
import { STOP_LIMIT_MS } from './lifecycle/swap.ts';
import type { SwapperDeps } from './lifecycle/swapper.ts';
import { createCounters, createLog, type LogOptions, startGauges } from './observe/index.ts';
import { BLOB_FILES } from './sdk/blob-files.ts';
import type { Clock, Random } from './sdk/clock.ts';
import { DATA_FILES } from './sdk/data-files.ts';
import { textOf } from './sdk/errors.ts';
import type { PeerId } from './sdk/identifiers.ts';
import { NETWORK } from './sdk/network.ts';
import { SEALER } from './sdk/sealer.ts';
import { SIGNER } from './sdk/signer.ts';
import { SOCKETS } from './sdk/sockets.ts';
import { KNOWN_IDS } from './sdk/known-ids.ts';
import { UI_POINTS } from './sdk/ui/index.ts';
import { BlobFolder, dataFiles, lockDataDirectory, openStore, prepareDataDirectory } from './store/index.ts';
import { quicTransport } from './transport/index.ts';
import type { Transport } from './transport/transport.ts';
import type { Trace } from './wire/trace.ts';
import { createDispatcher, createNetwork, type NetworkHost, SocketLender } from './wire/index.ts';
import { NODE_VERSION } from './version.ts';

/** The plugins that come with the node: the folders beside `kernel/`. */
const BUILTIN_PLUGINS = fileURLToPath(new URL('../plugins', import.meta.url));

/** What is being written may take so long to arrive on a disk that is stuck; the lock is given away after it. */
const STORE_CLOSE_LIMIT_MS = 10_000;

/** Third-party plugins that have not started by then go on starting while the node is in use. */
const OTHERS_LIMIT_MS = 2_000;

export interface NodeOptions {
  readonly dataDir: string;
  /** `--bind`: listen on this address and advertise it (CLI-02). Overrides the config file. */
  readonly bind?: string;
  readonly port?: number;
  readonly logLevel?: LogOptions['level'];
  /** Where log lines go; default is `node.log` in the data directory. */
  readonly logTo?: LogOptions['to'];
  readonly clock?: Clock;
  readonly random?: Random;
  /** Default: QUIC. A simulation gives its in-memory network. */
  readonly transport?: Transport;
  /** Texts that stand for the user's files in the data directory, by name: `anchors.json`. */
  readonly files?: Readonly<Record<string, string>>;
  /** Plugin settings of this run, over those of the config file: `{ mesh: { maxMesh: 20 } }`. */
  readonly settings?: Given;
  /** Folders of plugins to start with; default is everything that ships with the node. */
  readonly plugins?: readonly string[];
  /** False for a simulation: what is stored need not survive a crash. Default true. */
  readonly durable?: boolean;
  /** Watch `{dataDir}/plugins` and open the control socket. Default true; a simulation does without. */
  readonly attended?: boolean;
  /** For who owns the process: called before any code of a third-party plugin may run. */
  readonly guard?: (node: GuardedNode) => void;
  /**
   * For who owns the process: called once, before the first code of a third-party plugin is evaluated. `caller` says
   * whose code the main thread is in, `hungFile` is read at the next start (who held the event loop, as {@link Held}).
   */
  readonly watch?: (hungFile: string, caller: SharedCaller) => void;
  /** Without third-party plugins (`--safe`): they are listed as left out. Default false. */
  readonly safe?: boolean;
}

export type { Held } from './lifecycle/run-marks.ts';
export type { Caller } from './lifecycle/stray-errors.ts';

/** What who owns the process needs of the node in it. */
export interface GuardedNode extends Pick<Node, 'stop'> {
  /**
   * An error that nothing caught. It is charged to the plugin it comes from; one that is
   * nobody's is logged, and stops the node with `torn`, when kernel code may have been left half done. With `fatal`
   * its plugin goes at once.
   */
  strayError(error: unknown, how?: { readonly fatal?: boolean; readonly torn?: boolean }): void;
  /**
   * Called when something is about to end it by `process.<call>`. When that is a third-party
   * plugin it goes, and the error for it is returned; otherwise undefined.
   */
  refuseEnd(call: string): Error | undefined;
  /** A plugin held the event loop until the child process that it waited for was ended. */
  heldUp(held: Held): void;
  /** The third-party plugin whose code calls now, if any. */
  caller(): Caller | undefined;
  /** Runs a call that may wait for ever, so that the thread which watches this one can tell whose it is. */
  noted<R>(call: () => R): R;
}

/** A running node. */
export interface Node {
  readonly self: PeerId;
  readonly host: PluginHost;
  readonly network: NetworkHost;
  readonly bus: Bus;
  /** Every frame in and out; silent until somebody subscribes. */
  readonly trace: Trace;
  /** Undefined in an unattended node. */
  readonly control: ControlServer | undefined;
  /** Resolves when the node has stopped, whoever asked for it: with the error that made it stop by itself, if any. */
  readonly stopped: Promise<Error | undefined>;
  /** Closes connections, stops plugins, flushes and unlocks (OPS-04). Safe to call again. */
  stop(): Promise<void>;
}

/**
 * Starts a node: lock, identity, storage, blob store, plugins, endpoint, control socket (ID-05). When
 * a step fails, those before it are undone.
 *
 * @throws store/locked, store/newer-schema, identity/*, config/*, transport/bind-failed, ...
 */
export async function startNode(options: NodeOptions): Promise<Node> {
  const { dataDir, clock = systemClock(), random = systemRandom(), attended = true } = options;
  const paths = prepareDataDirectory(dataDir);
  const lock = lockDataDirectory(dataDir);
  let book: ReturnType<typeof createLog> | undefined;
  let scope: Scope | undefined;
  try {
    const config = openConfig(paths.config, options.settings);
    const logs = createLog({
      level: options.logLevel ?? config.node.logLevel,
      clock,
      to: options.logTo ?? { file: paths.log },
    });
    book = logs;
    config.watchNode(({ logLevel }) => logs.setLevel(logLevel));
    const log = logs.area('kernel/node');
    const undo = new Scope(log, clock);
    scope = undo;
    let failure: Error | undefined;
    const { promise: stopped, resolve: markStopped } = Promise.withResolvers<Error | undefined>();
    const stop = async (): Promise<void> => {
      await undo.close(failure);
      markStopped(failure);
    };
    undo.defer('log', () => logs.close());
    undo.defer('lock', () => lock.release());
    const counters = createCounters();
    const identity = loadIdentity(dataDir, { random, log });
    log.info('start-identity', { node_id: identity.nodeId, device_id: identity.deviceId });
    const { durable = true } = options;
    const store = openStore({
      path: paths.database,
      log: logs.area('kernel/store'),
      clock,
      durable,
      onFailure(error) {
        log.error('store-failed', { error });
        failure = error;
        void stop();
      },
    });
    undo.defer('store', () => store.close(), STORE_CLOSE_LIMIT_MS);
    const blobs = new BlobFolder({ dir: paths.blobs, random, durable, hasher: blake3Hasher });
    undo.defer('blobs', () => blobs.close());
    log.info('start-storage');
    const bus = createBus({ log: logs.area('kernel/bus'), counters, clock });
    undo.defer('bus', () => bus.close());

    const dispatcher = createDispatcher({ clock, counters: counters.of('kernel/wire'), log: logs.area('kernel/wire') });
    undo.defer('dispatcher', () => dispatcher.close());
    const transport =
      options.transport ??
      quicTransport({ clock, random, log: logs.area('kernel/transport'), counters: counters.of('kernel/transport') });
    const network = createNetwork({
      transport,
      credentials: makeCredentials(identity.identitySeed, identity.deviceSeed),
      dispatcher,
      bus,
      clock,
      features: () => host.features(),
      ...listenOptions(options, config.node),
      treatAsPublic: config.node.treatAsPublic,
      sharesExcept: config.node.sharesExcept,
      limits: {
        connectionsPerBlock: config.node.connectionsPerAddress,
        connectionsKept: config.node.connectionsKept,
      },
      onDatagram: (datagram, from) => sockets.onDatagram(datagram, from),
    });
    const sockets = new SocketLender({
      network,
      clock,
      counters: counters.of('kernel/wire'),
      log: logs.area('kernel/wire'),
      treatAsPublic: config.node.treatAsPublic,
    });
    const resources = new Resources();
    resources.provide(NETWORK, network);
    resources.provide(DATA_FILES, dataFiles(dataDir, options.files));
    resources.provideEach(BLOB_FILES, ({ signal }) => blobs.lend(signal));
    resources.provide(SIGNER, { self: identity.self, sign: identity.sign });
    resources.provide(SEALER, createSealer(identity.identitySeed, random));
    resources.provideEach(SOCKETS, (borrower) => sockets.lend(borrower));
    const lifecycleLog = logs.area('lifecycle');
    const marks = new RunMarks(attended ? paths.marks : undefined, clock, lifecycleLog, {
      hung: attended ? takeHung(paths.hung) : undefined,
      safe: options.safe,
    });
    const hostDeps: SwapperDeps = {
      self: identity.self,
      bus,
      store,
      clock,
      random,
      services: new Services(),
      points: new Points(clock, lifecycleLog, [KNOWN_IDS, ...UI_POINTS]),
      resources,
      log: (area) => logs.area(area),
      counters: (owner) => counters.of(owner),
      send: (to, message, body, sendOptions) => network.sendTo(to, message, body, sendOptions),
      router: dispatcher.router,
      isKernelCommand,
      config,
      beforeForeign: () => options.watch?.(paths.hung, THIRD_PARTY),
    };
    const host = new Host(hostDeps, marks);
    undo.defer('endpoint', () => network.shutdown());
    undo.defer('plugins', () => host.stop(), STOP_LIMIT_MS);
    const strayError = (error: unknown, { fatal = false, torn = false } = {}): void => {
      if (host.strays.charge(error, { fatal }) !== undefined) return;
      log.error('stray-error', { error });
      if (!torn) return;
      failure ??= error instanceof Error ? error : new Error(textOf(error));
      void stop();
    };
    const refuseEnd = (call: string): Error | undefined => {
      const calling = host.strays.caller();
      if (calling === undefined) return undefined;
      const error = lifecycleErrors.make('exit', { name: calling.name, call });
      strayError(error, { fatal: true });
      return error;
    };
    const caller = (): Caller | undefined => host.strays.caller();
    options.guard?.({ strayError, refuseEnd, heldUp: (held) => host.heldUp(held), caller, noted, stop });
    await host.start(options.plugins ?? findPlugins(BUILTIN_PLUGINS));
    await network.listen();
    log.info('start-listening', { port: network.port });
    // A remembered port keeps the connect string true over restarts.
    if (options.port === undefined && config.node.port === 0 && attended) config.setNode('port', network.port);
    host.begin();

    let control: ControlServer | undefined;
    if (attended) {
      const gauges = startGauges();
      undo.defer('gauges', () => gauges.stop());
      const watcher = new PluginWatcher(paths.plugins, clock, log, (path) => host.refresh(path));
      watcher.start();
      undo.defer('plugin watcher', () => watcher.stop());
      control = await startControl({
        dataDir,
        version: NODE_VERSION,
        clock,
        host,
        network,
        store,
        bus,
        config,
        log: logs.area('kernel/control'),
        trace: dispatcher.trace,
        logs,
        gauges,
        stop: () => void stop(),
      });
      const server = control;
      undo.defer('control', () => server.stop());
    }
    const others = host.startOthers(attended ? findPlugins(paths.plugins) : []);
    await within(others, OTHERS_LIMIT_MS, clock);
    const { self } = identity;
    return { self, host, network, bus, trace: dispatcher.trace, control, stopped, stop };
  } catch (error) {
    if (scope) await scope.close(error);
    else {
      book?.close();
      lock.release();
    }
    throw error;
  }
}
