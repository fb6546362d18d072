import { errorText, ItsgoinError, messageOf } from '../sdk/errors.ts';
import { controlErrors } from './errors.ts';

/**
 * JSON-RPC 2.0, one message a line. Beside the commands themselves:
 *
 * | method | direction | params |
 * |---|---|---|
 * | `rpc.describe` | call | none; answers every command's description |
 * | `rpc.run` | call | `{command, params, wide?}`; answers `{result, text?}`, text being the command's own rendering, `wide` with whole ids |
 * | `rpc.ping` | call | none; answers at once, so that a node that is busy is told from one that is held up |
 * | `rpc.unsubscribe` | call | `{subscription}` |
 * | `$/cancel` | to the node | `{id}`: aborts that call |
 * | `$/progress` | from the node | `{id, step, fraction?}` |
 * | `$/event` | from the node | `{subscription, event, dropped}` |
 *
 * Calling a subscription (`events`, `trace`, `log`) answers `{subscription}`; its events follow.
 */
export const CANCEL = '$/cancel';
export const PROGRESS = '$/progress';
export const EVENT = '$/event';

/** The longest line either side takes; a post's text is far below, blobs travel by file path. */
export const LINE_MAX_BYTES = 4 * 1024 * 1024;

export type RpcId = string | number;

export interface RpcRequest {
  readonly id: RpcId | undefined;
  readonly method: string;
  readonly params: unknown;
}

export interface RpcError {
  readonly code: number;
  readonly message: string;
  readonly data?: { readonly code?: string; readonly hint?: string; readonly retryable?: boolean };
}

/** A command as data without its functions: what the CLI, the TUI and the docs are made from. */
export interface CommandDescription {
  readonly name: string;
  readonly about: string;
  /** The plugin that offers it; `kernel` for the node's own. */
  readonly plugin: string;
  /** `call` answers once; `subscription` streams events until unsubscribed. */
  readonly kind: 'call' | 'subscription';
  /** JSON schema of the params object. */
  readonly params: JsonSchema;
  readonly result: JsonSchema;
  readonly positional: readonly string[];
  readonly confirm?: string;
  /** It needs only the data directory: the command line runs it itself, always or where no node runs. */
  readonly local?: 'always' | 'without-node';
}

export type JsonSchema = Readonly<Record<string, unknown>> & {
  readonly properties?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly required?: readonly string[];
};

/** @throws control/bad-json, control/bad-request */
export function parseRequest(line: string): RpcRequest {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    throw controlErrors.make('bad-json', { detail: (error as Error).message.slice(0, 120) }, error);
  }
  const bad = (detail: string) => controlErrors.make('bad-request', { detail });
  if (Array.isArray(value)) throw bad('batches are not taken');
  if (typeof value !== 'object' || value === null) throw bad('it is not an object');
  const { jsonrpc, id, method, params } = value as Record<string, unknown>;
  if (jsonrpc !== '2.0') throw bad('"jsonrpc" must be "2.0"');
  if (typeof method !== 'string') throw bad('"method" must be a string');
  if (id !== undefined && typeof id !== 'string' && typeof id !== 'number')
    throw bad('"id" must be a string or a number');
  if (params !== undefined && (typeof params !== 'object' || params === null || Array.isArray(params))) {
    throw bad('"params" must be an object');
  }
  return { id, method, params };
}

const NUMBERS: Readonly<Record<string, number>> = {
  'control/bad-json': -32700,
  'control/bad-request': -32600,
  'command/unknown-command': -32601,
  'command/bad-params': -32602,
  'control/internal': -32603,
};

/**
 * JSON-RPC's own numbers where they exist, -32000 for the rest; our code is in `data.code`. Always short enough
 * for a line, whatever a plugin has put into its error.
 */
export function toRpcError(error: ItsgoinError): RpcError {
  const { code, hint, retryable } = error;
  return {
    code: NUMBERS[code] ?? -32000,
    message: messageOf(error),
    data: { code: errorText(code), hint: hint === undefined ? undefined : errorText(hint), retryable },
  };
}

export function fromRpcError(error: RpcError): ItsgoinError {
  const { code = 'control/internal', hint, retryable } = error.data ?? {};
  return new ItsgoinError(code, { message: error.message, hint, retryable });
}

/** Cuts a byte stream into lines without ever holding more than the limit of one. */
export class LineReader {
  readonly #limit: number;
  #parts: Buffer[] = [];
  #bytes = 0;

  constructor(limit: number = LINE_MAX_BYTES) {
    this.#limit = limit;
  }

  /** The lines this chunk completes. @throws control/line-too-long; the stream cannot be used further then. */
  push(chunk: Buffer): string[] {
    const lines: string[] = [];
    let from = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
      this.#take(chunk.subarray(from, end));
      const line = Buffer.concat(this.#parts).toString('utf8').trim();
      this.#parts = [];
      this.#bytes = 0;
      from = end + 1;
      if (line !== '') lines.push(line);
    }
    if (from < chunk.length) this.#take(chunk.subarray(from));
    return lines;
  }

  #take(part: Buffer): void {
    this.#bytes += part.length;
    if (this.#bytes > this.#limit) throw controlErrors.make('line-too-long', { limit: this.#limit });
    this.#parts.push(part);
  }
}
