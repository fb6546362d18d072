import type { DeviceId } from '../sdk/identifiers.ts';
import { admit, type Hello, type Verdict } from './admission.ts';

/** What the table needs of a connection. */
export interface Candidate {
  readonly direction: 'inbound' | 'outbound';
  readonly incarnation: string | undefined;
}

/** The one open connection to each device, and our own dial to it that awaits its Accept. */
export class PeerTable<C extends Candidate> {
  readonly #open = new Map<string, C>();
  readonly #pending = new Map<string, C>();

  get size(): number {
    return this.#open.size;
  }

  connections(): IterableIterator<C> {
    return this.#open.values();
  }

  open(key: string): C | undefined {
    return this.#open.get(key);
  }

  pending(key: string): C | undefined {
    return this.#pending.get(key);
  }

  setPending(key: string, connection: C): void {
    this.#pending.set(key, connection);
  }

  /** Judges a Hello from the device `dialler` by what is held with it. */
  judge(key: string, hello: Hello, self: { incarnation: string; deviceId: DeviceId }, dialler: DeviceId): Verdict {
    return admit(hello, this.#open.get(key) ?? this.#pending.get(key), self, dialler);
  }

  /** Enters an open connection; returns the one it takes the place of, which the caller closes. */
  enter(key: string, connection: C): C | undefined {
    const previous = this.#open.get(key);
    this.#open.set(key, connection);
    if (this.#pending.get(key) === connection) this.#pending.delete(key);
    return previous;
  }

  /** Takes out this connection only: a successor under the same key stays (MESH-10). */
  remove(key: string, connection: C): void {
    if (this.#open.get(key) === connection) this.#open.delete(key);
    if (this.#pending.get(key) === connection) this.#pending.delete(key);
  }
}
