/** A binary heap whose first element may change its place after it was put in: what a merge of sorted sources needs. */
export class Heap<T> {
  readonly #items: T[] = [];
  readonly #compare: (a: T, b: T) => number;

  constructor(compare: (a: T, b: T) => number) {
    this.#compare = compare;
  }

  get first(): T | undefined {
    return this.#items[0];
  }

  push(item: T): void {
    const items = this.#items;
    let at = items.push(item) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = items[parent] as T;
      if (this.#compare(above, item) <= 0) break;
      items[at] = above;
      items[parent] = item;
      at = parent;
    }
  }

  dropFirst(): void {
    const last = this.#items.pop();
    if (last === undefined || this.#items.length === 0) return;
    this.#items[0] = last;
    this.firstChanged();
  }

  /** The first element sorts later than it did. */
  firstChanged(): void {
    const items = this.#items;
    const item = items[0] as T;
    for (let at = 0; ; ) {
      let child = 2 * at + 1;
      if (child >= items.length) return;
      if (child + 1 < items.length && this.#compare(items[child + 1] as T, items[child] as T) < 0) child += 1;
      if (this.#compare(item, items[child] as T) <= 0) return;
      items[at] = items[child] as T;
      items[child] = item;
      at = child;
    }
  }
}
