import { chmodSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { type ControlApi, createControlApi } from './api.ts';
import type { ControlDeps } from './deps.ts';
import { controlErrors } from './errors.ts';
import { ServerConnection } from './server-connection.ts';
import { claimSocketPath } from './socket-path.ts';

/** A person, a few scripts and a monitor; each may hold a line of LINE_MAX_BYTES. */
const CLIENTS_MAX = 64;

export interface ControlServer {
  /** The same methods for a UI inside this process. */
  readonly api: ControlApi;
  /** Where it listens. */
  readonly path: string;
  /** Aborts the calls under way, closes every client and removes the socket. */
  stop(): Promise<void>;
}

/**
 * Opens the node's control socket. The caller holds the data directory's lock, which is what makes it
 * safe to remove the socket a killed process left behind.
 *
 * @throws control/socket-refused
 */
export async function startControl(deps: ControlDeps): Promise<ControlServer> {
  const api = createControlApi(deps);
  const connections = new Set<ServerConnection>();
  const server = createServer((socket) => {
    const connection = new ServerConnection(socket, api, () => connections.delete(connection));
    if (connections.size >= CLIENTS_MAX) {
      connection.refuse(controlErrors.make('too-many-clients', { limit: CLIENTS_MAX }));
      return;
    }
    connections.add(connection);
  });
  const { path, release } = claimSocketPath(deps.dataDir);
  await listen(server, path);
  server.on('error', (error) => deps.log.warn('control-socket', { error }));
  deps.log.info('control-listening', { path });
  return {
    api,
    path,
    async stop() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      await Promise.all([...connections].map((connection) => connection.finish()));
      await closed;
      release();
    },
  };
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) =>
      reject(controlErrors.make('socket-refused', { path, detail: error.message }, error)),
    );
    server.listen(path, () => {
      server.removeAllListeners('error');
      // The directory is 0700 already; this holds where somebody opened it.
      if (process.platform !== 'win32') chmodSync(path, 0o600);
      resolve();
    });
  });
}
