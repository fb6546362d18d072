import type { Static, TSchema } from './typebox.ts';

/** What there is of every command, whatever its types. */
export interface CommandBase {
  /** One line for `--help`. */
  readonly about: string;
  /**
   * An object schema; each property becomes a `--flag`, its `description` the flag's help. A string with `stdin: true`
   * is read from standard input where `-` was given.
   */
  readonly params: TSchema;
  readonly result: TSchema;
  /** Names of params that the CLI also takes by position, in order: `itsgoin peer connect <target>`. */
  readonly positional?: readonly string[];
  /** A question the CLI and TUI ask before running it (`--yes` skips). For what cannot be undone. */
  readonly confirm?: string;
  /**
   * It waits for the network and may be begun again: a swap of its plugin does not wait for it, but aborts
   * its signal and runs it anew in the new generation.
   */
  readonly restart?: true;
}

/** Who reads the text of a result. */
export interface TextView {
  /** No terminal, but a file or a program: ids are to be whole. */
  readonly wide: boolean;
}

/**
 * One user operation as data. A command is at once a method of the control API (`post.create`), a
 * CLI verb (`itsgoin post create --text ...`) and an action of the terminal UI.
 */
export interface CommandSpec<
  Params extends TSchema = TSchema,
  Result extends TSchema = TSchema,
  Given = Static<Params>,
  Answer = Static<Result>,
> extends CommandBase {
  readonly params: Params;
  readonly result: Result;
  /** How the CLI prints a result without `--json`: default is a generic table/record view. */
  readonly text?: (result: Answer, view: TextView) => string;
  /** Only for the compiler. */
  readonly __params?: Given;
  /** Only for the compiler. */
  readonly __result?: Answer;
}

/** A command as a table holds it: results have been checked against `result` when `text` gets them. */
export interface AnyCommand extends CommandBase {
  text?(result: unknown, view: TextView): string;
}

export interface CommandCall {
  /** Aborts when the caller goes away, the plugin goes away, or the deadline passes. */
  readonly signal: AbortSignal;
  /** Reports a step of long work to whoever called: shown as progress. */
  progress(step: string, fraction?: number): void;
}

export type ParamsOf<C> = C extends { readonly __params?: infer Given } ? Given : never;
export type ResultOf<C> = C extends { readonly __result?: infer Answer } ? Answer : never;

/** Declares a command; only for inference, the value is returned unchanged. */
export function defineCommand<
  Params extends TSchema,
  Result extends TSchema,
  Given = Static<Params>,
  Answer = Static<Result>,
>(spec: CommandSpec<Params, Result, NoInfer<Given>, NoInfer<Answer>>): CommandSpec<Params, Result, Given, Answer> {
  return spec;
}
