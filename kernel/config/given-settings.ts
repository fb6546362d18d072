/** Plugin settings of one run, over those of the config file: by plugin, then by key. */
export type Given = Readonly<Record<string, Readonly<Record<string, unknown>>>>;
type Settings = Readonly<Record<string, unknown>> | undefined;

/** Keeps what the command line says of plugins apart from what the file says, so that it is not written there. */
export class GivenSettings {
  readonly #given: Given;
  readonly #inFile: (plugin: string) => Settings;
  /** `plugin.key` of those that were set to something else since. */
  readonly #replaced = new Set<string>();

  /** `inFile` gives what the file said when it was opened. */
  constructor(given: Given, inFile: (plugin: string) => Settings) {
    this.#given = given;
    this.#inFile = inFile;
  }

  over(plugin: string, config: Record<string, unknown> | undefined): Record<string, unknown> | undefined {
    const given = Object.entries(this.#given[plugin] ?? {}).filter(([key]) => !this.#replaced.has(`${plugin}.${key}`));
    return given.length === 0 ? config : { ...config, ...Object.fromEntries(given) };
  }

  /** What to write of settings: a given one that is as it was stays out of the file, another value replaces it. */
  without(plugin: string, config: Record<string, unknown>): Record<string, unknown> {
    const written = { ...config };
    for (const [key, value] of Object.entries(this.#given[plugin] ?? {})) {
      if (config[key] !== value) {
        this.#replaced.add(`${plugin}.${key}`);
        continue;
      }
      this.#replaced.delete(`${plugin}.${key}`);
      const before = this.#inFile(plugin)?.[key];
      if (before === undefined) delete written[key];
      else written[key] = before;
    }
    return written;
  }
}
