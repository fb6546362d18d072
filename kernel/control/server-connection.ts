import type { Socket } from 'node:net';
import { commandErrors } from '../command/errors.ts';
import { ItsgoinError, textOf } from '../sdk/errors.ts';
import type { ControlApi } from './api.ts';
import { controlErrors } from './errors.ts';
import {
  CANCEL,
  EVENT,
  LINE_MAX_BYTES,
  LineReader,
  parseRequest,
  PROGRESS,
  type RpcId,
  type RpcRequest,
  toRpcError,
} from './protocol.ts';

/** Calls of one client at a time; a UI with every panel open uses about ten. */
const CALLS_MAX = 64;
/** Subscriptions of one client. */
const STREAMS_MAX = 32;
/** Unread events of a client that does not read: beyond this much they are dropped and counted. */
const EVENT_BACKLOG_BYTES = 1024 * 1024;
/** Unread answers: beyond this much nothing more is read from the client, nor begun of what it asked, until it reads. */
const ANSWER_BACKLOG_BYTES = 1024 * 1024;
/** How long a stopping node waits for its last answers to be read. */
const FINISH_MS = 500;

interface Queued {
  readonly id: RpcId;
  readonly method: string;
  readonly params: unknown;
  readonly controller: AbortController;
}

/** One client of the control socket. Its calls and subscriptions end with it. */
export class ServerConnection {
  readonly #socket: Socket;
  readonly #api: ControlApi;
  readonly #lines = new LineReader();
  readonly #calls = new Map<RpcId, AbortController>();
  readonly #queued: Queued[] = [];
  #starting = false;
  readonly #streams = new Map<number, () => void>();
  readonly #onClose: () => void;
  #lastStream = 0;

  constructor(socket: Socket, api: ControlApi, onClose: () => void) {
    this.#socket = socket;
    this.#api = api;
    this.#onClose = onClose;
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('drain', () => socket.resume());
    // A client that vanishes is closed by 'close', which always follows.
    socket.on('error', () => {});
    socket.on('close', () => this.#end());
  }

  /** Says why and closes; nothing of the client is served. */
  refuse(error: ItsgoinError): void {
    this.#socket.removeAllListeners('data');
    this.#socket.resume();
    this.#answerError(null, error);
    this.#socket.destroySoon();
  }

  /** Ends the calls, lets written answers out, closes. */
  async finish(): Promise<void> {
    this.#abortAll();
    if (this.#socket.destroyed) return;
    await new Promise<void>((resolve) => {
      const limit = setTimeout(() => this.#socket.destroy(), FINISH_MS);
      this.#socket.once('close', () => {
        clearTimeout(limit);
        resolve();
      });
      // One turn later, so that the calls just aborted still get their error across.
      setImmediate(() => this.#socket.destroySoon());
    });
  }

  #receive(chunk: Buffer): void {
    let lines: string[];
    try {
      lines = this.#lines.push(chunk);
    } catch (error) {
      this.refuse(error as ItsgoinError);
      return;
    }
    for (const line of lines) this.#handle(line);
  }

  #handle(line: string): void {
    let request: RpcRequest;
    try {
      request = parseRequest(line);
    } catch (error) {
      this.#answerError(null, error as ItsgoinError);
      return;
    }
    const { id, method, params } = request;
    if (method === CANCEL) {
      this.#calls.get((params as { id?: RpcId } | undefined)?.id ?? '')?.abort(controlErrors.make('cancelled'));
    } else if (id === undefined) {
      const detail = 'only $/cancel may come without an id';
      this.#answerError(null, controlErrors.make('bad-request', { detail }));
    } else if (this.#calls.has(id)) {
      this.#answerError(id, controlErrors.make('bad-request', { detail: 'this id is in use by a call under way' }));
    } else if (this.#calls.size >= CALLS_MAX) {
      this.#answerError(id, controlErrors.make('too-many-calls', { limit: CALLS_MAX }));
    } else {
      const controller = new AbortController();
      this.#calls.set(id, controller);
      this.#queued.push({ id, method, params, controller });
      if (!this.#starting) void this.#startQueued();
    }
  }

  /**
   * Calls run side by side, and each begins when the answer of the one before is written or takes longer than a turn
   * of the event loop: so that a client which asks for much and reads nothing is noticed before all of it is made.
   */
  async #startQueued(): Promise<void> {
    this.#starting = true;
    for (let next = this.#queued.shift(); next !== undefined; next = this.#queued.shift()) {
      await this.#read();
      if (this.#socket.destroyed) break;
      await Promise.race([this.#serve(next), new Promise<void>((resolve) => setImmediate(resolve))]);
    }
    this.#starting = false;
  }

  /** Resolves when the client has read most of what was written, or is gone. */
  async #read(): Promise<void> {
    while (this.#socket.writableLength > ANSWER_BACKLOG_BYTES && !this.#socket.destroyed) {
      await new Promise<void>((resolve) => {
        const done = (): void => {
          this.#socket.off('drain', done).off('close', done);
          resolve();
        };
        this.#socket.once('drain', done).once('close', done);
      });
    }
  }

  async #serve({ id, method, params, controller }: Queued): Promise<void> {
    try {
      controller.signal.throwIfAborted();
      const result = await this.#call(id, method, params, controller.signal);
      if (!this.#write({ jsonrpc: '2.0', id, result: result ?? null })) {
        this.#answerError(id, controlErrors.make('answer-too-long', { command: method, limit: LINE_MAX_BYTES }));
      }
    } catch (error) {
      // Only a result that JSON cannot hold gets here as anything else.
      const known = error instanceof ItsgoinError;
      this.#answerError(id, known ? error : controlErrors.make('internal', { command: method, detail: textOf(error) }));
    } finally {
      this.#calls.delete(id);
    }
  }

  async #call(id: RpcId, method: string, params: unknown, signal: AbortSignal): Promise<unknown> {
    const progress = (step: string, fraction?: number) =>
      this.#write({ jsonrpc: '2.0', method: PROGRESS, params: { id, step, fraction } });
    switch (method) {
      case 'rpc.describe':
        return this.#api.describe();
      case 'rpc.ping':
        return {};
      case 'rpc.unsubscribe': {
        const { subscription } = (params ?? {}) as { subscription?: number };
        const stop = this.#streams.get(subscription as number);
        stop?.();
        return { stopped: stop !== undefined };
      }
      case 'rpc.run': {
        const { command, params: inner, wide } = (params ?? {}) as Record<'command' | 'params' | 'wide', unknown>;
        if (typeof command !== 'string') {
          throw commandErrors.make('bad-params', { command: method, detail: 'command is missing', usage: 'help' });
        }
        const result = await this.#api.run(command, inner, { signal, progress });
        return { result: result ?? null, text: this.#api.render(command, result, { wide: wide === true }) };
      }
      default:
        if (this.#api.isStream(method)) return this.#subscribe(method, params);
        return this.#api.run(method, params, { signal, progress });
    }
  }

  #subscribe(stream: string, params: unknown): { subscription: number } {
    if (this.#streams.size >= STREAMS_MAX) throw controlErrors.make('too-many-calls', { limit: STREAMS_MAX });
    const subscription = ++this.#lastStream;
    let dropped = 0;
    const send = (event: unknown, lost: number) => {
      dropped += lost;
      if (this.#socket.writableLength > EVENT_BACKLOG_BYTES) {
        dropped++;
        return;
      }
      dropped = this.#write({ jsonrpc: '2.0', method: EVENT, params: { subscription, event, dropped } })
        ? 0
        : dropped + 1;
    };
    // What the stream starts with waits one turn: the client must first learn the subscription's number.
    let early: [event: unknown, lost: number][] | undefined = [];
    const unsubscribe = this.#api.subscribe(stream, params, (event, lost = 0) => {
      if (early === undefined) send(event, lost);
      else early.push([event, lost]);
    });
    setImmediate(() => {
      for (const [event, lost] of early ?? []) send(event, lost);
      early = undefined;
    });
    this.#streams.set(subscription, () => {
      this.#streams.delete(subscription);
      unsubscribe();
    });
    return { subscription };
  }

  #answerError(id: RpcId | null, error: ItsgoinError): void {
    this.#write({ jsonrpc: '2.0', id, error: toRpcError(error) });
  }

  /** False for a line that the client would not take, and would close the connection at. */
  #write(message: unknown): boolean {
    if (!this.#socket.writable) return true;
    const line = JSON.stringify(message);
    if (Buffer.byteLength(line) > LINE_MAX_BYTES) return false;
    // As bytes: a text of which one character is no Latin letter waits with two bytes for each.
    this.#socket.write(Buffer.from(`${line}\n`));
    if (this.#socket.writableLength > ANSWER_BACKLOG_BYTES) this.#socket.pause();
    return true;
  }

  #abortAll(): void {
    for (const stop of [...this.#streams.values()]) stop();
    for (const call of this.#calls.values()) call.abort(controlErrors.make('connection-lost'));
  }

  #end(): void {
    this.#abortAll();
    this.#onClose();
  }
}
