/**
 * What the terminal UI needs of a control connection. The kernel's control client fits it, whether it
 * talks to a node in this process or through the socket of another one; tests pass a fake.
 */
export interface ControlClient {
  /** Runs one command. Rejects with an error that carries `code`, `message` and perhaps `hint`. */
  call(method: string, params?: unknown, options?: CallOptions): Promise<unknown>;
  /** Streams events until the returned function is called or the connection ends. */
  subscribe(method: string, params: unknown, onEvent: (event: unknown) => void): Unsubscribe | Promise<Unsubscribe>;
}

export interface CallOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (step: string, fraction?: number) => void;
}

export type Unsubscribe = () => void;
