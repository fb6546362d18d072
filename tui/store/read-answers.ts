import type { Answer, Answers } from './answers.ts';

/** Answers as they were read last, by whatever name they are shown under. */
export class ReadAnswers {
  #answers: Answers;
  readonly #shown: () => void;
  readonly #read = new Map<string, Answer>();

  /** `shown` is called after each answer, so that one that is slow hides no other. */
  constructor(answers: Answers, shown: () => void) {
    this.#answers = answers;
    this.#shown = shown;
  }

  get(name: string): Answer | undefined {
    return this.#read.get(name);
  }

  async read(name: string, command: string, params?: object): Promise<void> {
    this.#read.set(name, await this.#answers.read(command, params));
    this.#shown();
  }

  /** Forgets all but these. */
  keep(names: ReadonlySet<string>): void {
    for (const name of this.#read.keys()) if (!names.has(name)) this.#read.delete(name);
  }
}
