import type { QuicConnection } from './connection.ts';

/** The work of one turn of the event loop: first all that came is read, then each connection sends once. */
export class DeferredFlush {
  #toRead: QuicConnection[] = [];
  #toSend: QuicConnection[] = [];
  #scheduled = false;

  read(connection: QuicConnection): void {
    this.#toRead.push(connection);
    this.#schedule();
  }

  send(connection: QuicConnection): void {
    this.#toSend.push(connection);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    // Two callbacks of the same check phase: promises that reading resolved run in between, so what they
    // write leaves together with the acknowledgements.
    setImmediate(this.#runReads);
    setImmediate(this.#runSends);
  }

  readonly #runReads = (): void => {
    const connections = this.#toRead;
    this.#toRead = [];
    for (const connection of connections) connection.read();
  };

  readonly #runSends = (): void => {
    this.#scheduled = false;
    const connections = this.#toSend;
    this.#toSend = [];
    for (const connection of connections) connection.send();
    if (this.#toRead.length > 0) this.#schedule();
  };
}
