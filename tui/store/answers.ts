import type { Backend } from './backend.ts';
import { type Problem, problemOf } from './problem.ts';

/** How long a contributed pane or figure waits for its command. */
const ANSWER_MS = 5_000;

/** What a command answered, or why it did not. */
export type Answer = { readonly value: unknown } | { readonly off: string } | { readonly problem: Problem };

/** Answers for panes and figures: several that show the same answer at one time ask once. Never throws. */
export class Answers {
  #backend: Backend;
  readonly #underWay = new Map<string, Promise<Answer>>();

  constructor(backend: Backend) {
    this.#backend = backend;
  }

  read(command: string, params: object = {}): Promise<Answer> {
    const key = `${command} ${JSON.stringify(params)}`;
    const asked = this.#underWay.get(key);
    if (asked !== undefined) return asked;
    const answer = this.#ask(command, params).finally(() => this.#underWay.delete(key));
    this.#underWay.set(key, answer);
    return answer;
  }

  async #ask(command: string, params: object): Promise<Answer> {
    try {
      return { value: await this.#backend.call(command, params, ANSWER_MS) };
    } catch (error) {
      const problem = problemOf(error);
      const off = this.#backend.pluginOff(problem, command);
      return off === undefined ? { problem } : { off };
    }
  }
}
