import { createConnection, type Socket } from 'node:net';
import type { ItsgoinError } from '../sdk/errors.ts';
import type { CallOptions, ControlClient, RunResult } from './client.ts';
import { controlErrors } from './errors.ts';
import {
  CANCEL,
  type CommandDescription,
  EVENT,
  fromRpcError,
  LineReader,
  PROGRESS,
  type RpcError,
  type RpcId,
} from './protocol.ts';
import { findSocketPath } from './socket-path.ts';

/** A node that does not take a local connection within this is not alive. */
const CONNECT_MS = 3_000;
/** A node that is silent for this long while something is asked is given up. It is asked whether it lives after a third of it. */
const SILENCE_MAX_MS = 15_000;
/** Answers may be as long as the node likes to make them: a feed page, an inspection. */
const ANSWER_MAX_BYTES = 64 * 1024 * 1024;

interface Pending {
  resolve(result: unknown): void;
  reject(error: ItsgoinError): void;
  readonly onProgress: CallOptions['onProgress'];
}

/** One line from the node: an answer, or a notification. */
interface Incoming {
  readonly id?: RpcId | null;
  readonly result?: unknown;
  readonly error?: RpcError;
  readonly method?: string;
  readonly params?: Record<string, never>;
}

export interface ConnectOptions {
  readonly signal?: AbortSignal;
  /** How long the node may be silent while something is asked: then all calls end with control/no-answer. */
  readonly silenceMaxMs?: number;
}

/**
 * Connects to the node that runs on a data directory. Reconnecting is the caller's.
 *
 * @throws control/not-running, control/socket-refused (somebody else's), or control/cancelled.
 */
export async function connectControl(dataDir: string, options: ConnectOptions = {}): Promise<ControlClient> {
  const path = findSocketPath(dataDir);
  const socket = createConnection(path);
  await connected(socket, options.signal, (error) => connectError(error, dataDir, path));
  return new SocketClient(socket, options.silenceMaxMs ?? SILENCE_MAX_MS);
}

/** Limit and signal count for connecting only: an open connection outlives both. */
function connected(
  socket: Socket,
  signal: AbortSignal | undefined,
  explain: (error: NodeJS.ErrnoException) => ItsgoinError,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (error: ItsgoinError): void => {
      release();
      // A late error of the socket we gave up on is of no interest to anybody.
      socket.on('error', () => {});
      socket.destroy();
      reject(error);
    };
    const cancel = (): void => fail(controlErrors.make('cancelled'));
    const refused = (error: NodeJS.ErrnoException): void => fail(explain(error));
    const open = (): void => {
      release();
      resolve();
    };
    const limit = setTimeout(() => refused(new Error('no answer')), CONNECT_MS);
    const release = (): void => {
      clearTimeout(limit);
      socket.off('connect', open).off('error', refused);
      signal?.removeEventListener('abort', cancel);
    };
    socket.once('connect', open);
    socket.once('error', refused);
    signal?.addEventListener('abort', cancel, { once: true });
    if (signal?.aborted) cancel();
  });
}

function connectError(error: NodeJS.ErrnoException, dataDir: string, path: string): ItsgoinError {
  const absent = ['ENOENT', 'ECONNREFUSED', 'ENOTSOCK', 'ENOTDIR', 'EINVAL', 'ENAMETOOLONG'];
  if (absent.includes(error.code ?? '')) return controlErrors.make('not-running', { dataDir }, error);
  return controlErrors.make('socket-refused', { path, detail: error.message }, error);
}

class SocketClient implements ControlClient {
  readonly closed: Promise<ItsgoinError | undefined>;
  readonly #socket: Socket;
  readonly #lines = new LineReader(ANSWER_MAX_BYTES);
  readonly #pending = new Map<number, Pending>();
  readonly #listeners = new Map<number, (event: never, dropped: number) => void>();
  readonly #silenceMaxMs: number;
  #lastId = 0;
  #heardMs = performance.now();
  #listening: NodeJS.Timeout | undefined;
  #closing = false;
  #ended: ItsgoinError | undefined;

  constructor(socket: Socket, silenceMaxMs: number) {
    this.#socket = socket;
    this.#silenceMaxMs = silenceMaxMs;
    this.closed = new Promise((resolve) => {
      socket.on('close', () => {
        this.#end(controlErrors.make('connection-lost'));
        resolve(this.#closing ? undefined : this.#ended);
      });
    });
    // 'close' follows and ends every call.
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
  }

  async call<R>(command: string, params: object = {}, options: CallOptions = {}): Promise<R> {
    return (await this.#request(command, params, options)) as R;
  }

  async run(command: string, params: object = {}, options: CallOptions = {}): Promise<RunResult> {
    return (await this.#request('rpc.run', { command, params, wide: options.wide }, options)) as RunResult;
  }

  async describe(): Promise<CommandDescription[]> {
    return (await this.#request('rpc.describe', {}, {})) as CommandDescription[];
  }

  async subscribe(
    stream: string,
    params: object,
    onEvent: (event: never, dropped: number) => void,
    { signal }: { signal?: AbortSignal } = {},
  ): Promise<() => void> {
    let stop = () => {};
    await this.#request(stream, params, signal === undefined ? {} : { signal }, (answer) => {
      const { subscription } = answer as { subscription: number };
      this.#listeners.set(subscription, onEvent);
      stop = () => {
        signal?.removeEventListener('abort', stop);
        if (!this.#listeners.delete(subscription) || this.#ended !== undefined) return;
        this.#request('rpc.unsubscribe', { subscription }, {}).catch(() => {
          // The connection ended meanwhile, and the subscription with it.
        });
      };
    });
    signal?.addEventListener('abort', stop, { once: true });
    if (signal?.aborted) stop();
    return stop;
  }

  close(): void {
    this.#closing = true;
    this.#end(controlErrors.make('cancelled'));
    this.#socket.destroySoon();
  }

  /** `onAnswer` runs before the next line is looked at, so that no event of a new subscription is missed. */
  #request(
    method: string,
    params: object,
    { signal, onProgress }: CallOptions,
    onAnswer?: (result: unknown) => void,
  ): Promise<unknown> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    if (signal?.aborted) return Promise.reject(controlErrors.make('cancelled'));
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      const cancel = () => this.#write({ jsonrpc: '2.0', method: CANCEL, params: { id } });
      signal?.addEventListener('abort', cancel, { once: true });
      const done = () => {
        signal?.removeEventListener('abort', cancel);
        this.#pending.delete(id);
      };
      this.#listen();
      this.#pending.set(id, {
        onProgress,
        resolve(result) {
          done();
          onAnswer?.(result);
          resolve(result);
        },
        reject(error) {
          done();
          reject(error);
        },
      });
      this.#write({ jsonrpc: '2.0', id, method, params });
    });
  }

  /** As long as something is asked: breaks a long silence by a ping, and gives up a node that answers none. */
  #listen(): void {
    if (this.#listening !== undefined) return;
    this.#heardMs = performance.now();
    let pinged = false;
    this.#listening = setInterval(() => {
      const silentMs = performance.now() - this.#heardMs;
      if (this.#pending.size === 0 || this.#ended !== undefined) {
        clearInterval(this.#listening);
        this.#listening = undefined;
      } else if (silentMs >= this.#silenceMaxMs) {
        this.#end(controlErrors.make('no-answer', { seconds: this.#silenceMaxMs / 1_000 }));
        this.#socket.destroy();
      } else if (silentMs < this.#silenceMaxMs / 3) pinged = false;
      else if (!pinged) {
        pinged = true;
        this.#request('rpc.ping', {}, {}).catch(() => {
          // A node of before answers that it does not know this, which is an answer.
        });
      }
    }, this.#silenceMaxMs / 15);
    this.#listening.unref();
  }

  #receive(chunk: Buffer): void {
    this.#heardMs = performance.now();
    let messages: Incoming[];
    try {
      messages = this.#lines.push(chunk).map((line) => JSON.parse(line) as Incoming);
    } catch {
      // Only a foreign program behind the socket sends what is not one of our lines.
      this.#socket.destroy();
      return;
    }
    for (const message of messages) this.#take(message);
  }

  #take({ id, result, error, method, params }: Incoming): void {
    if (method === EVENT && params !== undefined) {
      this.#listeners.get(params.subscription as never)?.(params.event as never, params.dropped ?? 0);
    } else if (method === PROGRESS && params !== undefined) {
      this.#pending.get(params.id as never)?.onProgress?.(params.step as never, params.fraction);
    } else if (error !== undefined) {
      const failure = fromRpcError(error);
      if (typeof id === 'number') this.#pending.get(id)?.reject(failure);
      // An error without an id is about the connection as a whole: too many clients, an oversize line.
      else this.#end(failure);
    } else if (typeof id === 'number') {
      this.#pending.get(id)?.resolve(result);
    }
  }

  #write(message: object): void {
    if (this.#socket.writable) this.#socket.write(`${JSON.stringify(message)}\n`);
  }

  #end(error: ItsgoinError): void {
    this.#ended ??= error;
    for (const { reject } of [...this.#pending.values()]) reject(error);
    this.#listeners.clear();
  }
}
