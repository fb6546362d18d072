import type { Static, TSchema } from 'typebox';

/**
 * One user operation as data. A command is at once a method of the control API (`post.create`), a
 * CLI verb (`itsgoin post create --text ...`) and an action of the terminal UI.
 */
export interface CommandSpec<Params extends TSchema = TSchema, Result extends TSchema = TSchema> {
  /** One line for `--help`. */
  readonly about: string;
  /** An object schema; each property becomes a `--flag`, its `description` the flag's help. */
  readonly params: Params;
  readonly result: Result;
  /** Names of params that the CLI also takes by position, in order: `itsgoin peer connect <target>`. */
  readonly positional?: readonly string[];
  /** A question the CLI and TUI ask before running it (`--yes` skips). For what cannot be undone. */
  readonly confirm?: string;
  /** How the CLI prints a result without `--json`: default is a generic table/record view. */
  readonly text?: (result: Static<Result>) => string;
}

export interface CommandCall {
  /** Aborts when the caller goes away, the plugin goes away, or the deadline passes. */
  readonly signal: AbortSignal;
  /** Reports a step of long work to whoever called: shown as progress. */
  progress(step: string, fraction?: number): void;
}

// biome-ignore lint/suspicious/noExplicitAny: existential type of a command table
export type AnyCommand = CommandSpec<any, any>;
export type ParamsOf<C> = C extends CommandSpec<infer P, infer _R> ? Static<P> : never;
export type ResultOf<C> = C extends CommandSpec<infer _P, infer R> ? Static<R> : never;

/** Declares a command; only for inference, the value is returned unchanged. */
export function defineCommand<Params extends TSchema, Result extends TSchema>(
  spec: CommandSpec<Params, Result>,
): CommandSpec<Params, Result> {
  return spec;
}
