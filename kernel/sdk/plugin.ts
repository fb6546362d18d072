import type { Observable } from 'rxjs';
import type { Static, TObject, TSchema } from './typebox.ts';
import type { Clock, Random } from './clock.ts';
import type { CommandBase, CommandCall, ParamsOf, ResultOf } from './command.ts';
import type { Database, Migration } from './database.ts';
import type { NodeId, PeerId } from './identifiers.ts';
import type { Counters, Log } from './log.ts';
import type { AnswerOf, AnyMessage, BodyOf, ResponseOf } from './message.ts';
import type { Part } from './part.ts';
import type { Contributed, Contribution, Point } from './point.ts';
import type { Binding, Injected, Injection, Token } from './token.ts';
import type { Topic } from './topic.ts';

/** What a handler knows of the frame it answers. */
export interface IncomingCall {
  readonly peer: PeerId;
  /** The connection's stable id, for `Network` calls. */
  readonly connectionId: number;
  /** Aborts at the message's deadline, when the connection closes, or when a swap gives up on the call. */
  readonly signal: AbortSignal;
  /** Payload size in bytes as it came. */
  readonly bytes: number;
  /** Raw bytes may follow the answer (`withBytes`): the message declares them, and the peer offers `raw-blob`. */
  readonly takesBytes: boolean;
}

export interface SendOptions {
  readonly signal?: AbortSignal;
  /** Overrides the message's own deadline, downward only. */
  readonly deadlineMs?: number;
  /** Sends on this connection; otherwise on any open one of the peer. */
  readonly connectionId?: number;
}

/** Work the kernel repeats. Ticks never overlap: one that is still running delays the next. */
export interface Loop {
  readonly everyMs: number;
  /** Share of the interval added or taken at random, 0 to 0.5. Default 0.1. */
  readonly jitter?: number;
  /** A tick is aborted after this long. Default: the interval, at most 60 s. */
  readonly limitMs?: number;
  /** Runs the first tick at once instead of after one interval. Default false. */
  readonly immediate?: boolean;
  run(signal: AbortSignal): void | Promise<void>;
}

export type Handlers<Messages extends Record<string, AnyMessage>> = {
  [K in keyof Messages]: (
    body: BodyOf<Messages[K]>,
    call: IncomingCall,
  ) => AnswerOf<Messages[K]> | Promise<AnswerOf<Messages[K]>>;
};

export type CommandHandlers<Commands extends Record<string, CommandBase>> = {
  [K in keyof Commands]: (
    params: ParamsOf<Commands[K]>,
    call: CommandCall,
  ) => ResultOf<Commands[K]> | Promise<ResultOf<Commands[K]>>;
};

/** What `setup` returns. Nothing of it is live before the kernel commits the generation. */
export interface Parts<
  Messages extends Record<string, AnyMessage>,
  Commands extends Record<string, CommandBase>,
  State,
> {
  handlers?: Handlers<Messages>;
  commands?: CommandHandlers<Commands>;
  loops?: Record<string, Loop>;
  services?: readonly Binding[];
  /** What it adds to the points of others: {@link contribute}. */
  contributes?: readonly Contributed[];
  /** Facts for `plugin inspect` and Diagnostics; JSON, small, no I/O. */
  diagnostics?(): Record<string, unknown>;
  /** Called once after the commit. What it rejects with counts against the plugin's health. */
  activate?(): void | Promise<void>;
  /** State for the next generation, called after the drain. Must match `state`. */
  snapshot?(): State;
  /** Takes over what the previous generation's `snapshot` gave, before the commit. */
  restore?(state: State): void;
  /** Asked during probation; `false` swaps back. */
  healthy?(): boolean;
}

// biome-ignore lint/suspicious/noExplicitAny: parts of a plugin whose types only its own code knows
export type AnyParts = Parts<any, any, any>;

/** What every `setup` works with, whatever its plugin injects. Everything taken from it is undone by the kernel. */
export interface ContextBase {
  readonly name: string;
  /** Aborts when this generation must go. */
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly random: Random;
  readonly db: Database;
  readonly log: Log;
  readonly counters: Counters;
  readonly self: PeerId;
  /**
   * Sends a message. A notice resolves once the transport took it; a request resolves with the
   * answer, validated against its schema. A body that goes to many is best frozen (all of it stays as it is
   * then): it is checked and encoded once.
   *
   * @throws wire/not-connected, wire/unsupported (the peer has no handler, or it is off),
   *   wire/rate-limited, wire/refused, wire/deadline, or the signal's reason.
   */
  send<M extends AnyMessage>(
    to: NodeId | PeerId,
    message: M,
    body: BodyOf<M>,
    options?: SendOptions,
  ): Promise<ResponseOf<M>>;
  /** Publishes a fact; it is frozen. Before the commit events are held back and follow it. */
  emit<T>(topic: Topic<T>, event: T): void;
  /** Subscribes until the generation ends; a listener that throws or rejects is reported, not removed. */
  on<T>(topic: Topic<T>, listener: (event: T) => void | Promise<void>): void;
  /** The same as an Observable that completes with the generation. */
  stream<T>(topic: Topic<T>): Observable<T>;
  /** What is contributed to a point of this plugin at this moment, in order. @throws lifecycle/foreign-point */
  contributions<T>(point: Point<T>): readonly Contribution<T>[];
  /** A part of this plugin, built on first use. @throws lifecycle/circular-parts, lifecycle/not-injected */
  part<T>(part: Part<T>): T;
  /** Lets work go on by itself: a rejection is logged and counted as `background-failed.<what>` unless the generation has ended. */
  background(what: string, work: Promise<unknown>): void;
  /** Registers an undo: last in, first out, one at a time, 2 s each. */
  defer(cleanup: () => void | Promise<void>): void;
}

export interface PluginContext<Config, Inject extends Record<string, Injection>> extends ContextBase {
  readonly config: Readonly<Config>;
  readonly deps: { readonly [K in keyof Inject]: Injected<Inject[K]> };
}

// biome-ignore lint/complexity/noBannedTypes: `{}` is "no keys" here
type NoKeys = {};
/** The settings of a plugin that declares none: `PluginContext<NoSettings, typeof needs>`. */
export type NoSettings = NoKeys;

/** A plugin: data the kernel can check before any of its code runs, and one `setup`. */
export interface PluginSpec<
  ConfigSchema extends TObject = TObject,
  Inject extends Record<string, Injection> = Record<string, Injection>,
  Messages extends Record<string, AnyMessage> = Record<string, AnyMessage>,
  Commands extends Record<string, CommandBase> = Record<string, CommandBase>,
  StateSchema extends TSchema = TSchema,
  Config = Static<ConfigSchema>,
  State = Static<StateSchema>,
> {
  /** Kebab-case, the folder's name. */
  readonly name: string;
  /** Semantic version of this code. */
  readonly version: string;
  /** Range of kernel API versions, `^1`. */
  readonly kernel: string;
  readonly about: string;
  /** Every key has a default. Unknown keys in the config file are refused by name. */
  readonly config?: ConfigSchema;
  readonly inject?: Inject;
  readonly provides?: readonly Token<unknown>[];
  /** The points that this plugin owns and reads. */
  readonly points?: readonly Point<unknown>[];
  readonly messages?: Messages;
  readonly commands?: Commands;
  readonly migrations?: readonly Migration[];
  readonly state?: StateSchema;
  /** Names offered to peers in the handshake while this plugin is on: `packed-ids`. */
  readonly features?: readonly string[];
  setup(
    ctx: PluginContext<Config, Inject>,
  ): Parts<Messages, Commands, State> | Promise<Parts<Messages, Commands, State>>;
}

/** Declares a plugin; the only default export of `plugin.ts`. Only for inference: checks come at load. */
export function definePlugin<
  ConfigSchema extends TObject = TObject<NoKeys>,
  const Inject extends Record<string, Injection> = NoKeys,
  const Messages extends Record<string, AnyMessage> = NoKeys,
  const Commands extends Record<string, CommandBase> = NoKeys,
  StateSchema extends TSchema = TSchema,
  Config = Static<ConfigSchema>,
  State = Static<StateSchema>,
>(
  spec: PluginSpec<ConfigSchema, Inject, Messages, Commands, StateSchema, NoInfer<Config>, NoInfer<State>>,
): PluginSpec<ConfigSchema, Inject, Messages, Commands, StateSchema, Config, State> {
  return spec;
}

// biome-ignore lint/suspicious/noExplicitAny: existential type of a plugin
export type AnyPlugin = PluginSpec<any, any, any, any, any, any, any>;
