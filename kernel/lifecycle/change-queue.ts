/**
 * The order of changes to plugins. Those of one plugin stand in line, so that code that is slow to load or
 * set up keeps no other plugin waiting; switches take turns over all plugins, since two at a time
 * would wait for each other's held calls. Bounded by the callers, who wait for what they asked.
 */
export class ChangeQueue {
  /** The last change of each plugin that has not ended, by name. */
  readonly #lines = new Map<string, Promise<unknown>>();
  #lastTurn: Promise<unknown> = Promise.resolve();

  /** One change of a plugin at a time, in call order; a failed one does not stop the next. Not within itself. */
  inLine<R>(name: string, work: () => Promise<R>): Promise<R> {
    const result = (this.#lines.get(name) ?? Promise.resolve()).then(work);
    const ended = result
      .catch(() => undefined)
      .finally(() => {
        if (this.#lines.get(name) === ended) this.#lines.delete(name);
      });
    this.#lines.set(name, ended);
    return result;
  }

  /** One switch at a time. Not within itself. */
  turn<R>(work: () => Promise<R>): Promise<R> {
    const result = this.#lastTurn.then(work);
    this.#lastTurn = result.catch(() => undefined);
    return result;
  }
}
