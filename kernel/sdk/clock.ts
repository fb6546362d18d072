/** A timer that can be called off. Cancelling twice, or after it fired, does nothing. */
export interface TimerHandle {
  cancel(): void;
}

/** Time as everything above the transport sees it: real in a node, virtual in a simulation. */
export interface Clock {
  /** True when time moves only when told: it does not wait for disks and threads. */
  readonly virtual?: boolean;
  /** Milliseconds since the Unix epoch. */
  now(): number;
  /** Milliseconds from an arbitrary start; never goes backwards. For durations. */
  monotonic(): number;
  /** Calls `run` once after `delayMs` (0 or more). */
  timer(delayMs: number, run: () => void): TimerHandle;
  /** Resolves after `delayMs`; rejects with the signal's reason if it aborts first. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>;
}

/** Randomness as everything sees it: the system's in a node, seeded in tests and simulations. */
export interface Random {
  bytes(length: number): Uint8Array;
  /** Uniform in [0, 1). */
  float(): number;
  /** A uniform integer in [0, below). */
  integer(below: number): number;
}
