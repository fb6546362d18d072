import type { ItsgoinError } from '../sdk/errors.ts';
import type { CommandDescription } from './protocol.ts';

export interface CallOptions {
  /** Aborting it aborts the command in the node as well. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (step: string, fraction: number | undefined) => void;
  /** Of `run`: the text is for a file or a program, so that ids are whole. Default false. */
  readonly wide?: boolean;
}

/** What a command gave, with its own rendering where it has one. */
export interface RunResult {
  readonly result: unknown;
  readonly text?: string | undefined;
  /** Why the command failed though there is a result to show; only where it runs in this process. */
  readonly failure?: ItsgoinError | undefined;
}

/**
 * A node as its users see it, over the control socket or inside the same process. Everything rejects
 * with ItsgoinError: the node's own codes, or control/connection-lost once the node is gone.
 */
export interface ControlClient {
  /** Runs a command: `call('post.create', { text })`. @throws the command's error, control/cancelled */
  call<R = unknown>(command: string, params?: object, options?: CallOptions): Promise<R>;
  /** The same, with the text the command line prints. */
  run(command: string, params?: object, options?: CallOptions): Promise<RunResult>;
  /**
   * Streams `events`, `trace` or `log` until the function it returns is called or `signal` aborts.
   * `dropped` events were lost just before this one because they were not read fast enough.
   */
  subscribe(
    stream: string,
    params: object,
    onEvent: (event: never, dropped: number) => void,
    options?: { signal?: AbortSignal },
  ): Promise<() => void>;
  /** Every command this node offers at this moment. */
  describe(): Promise<CommandDescription[]>;
  /** Resolves when the connection is over, with why; with nothing after `close`. Never rejects. */
  readonly closed: Promise<ItsgoinError | undefined>;
  close(): void;
}
