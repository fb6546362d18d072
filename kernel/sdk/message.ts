import type { Static, TSchema } from 'typebox';

/**
 * What one peer may cost us with one message. Every message states its own; nothing is unlimited.
 * A peer over its rate gets `rate-limited` on a bi-stream, and its uni-streams are dropped and counted.
 */
export interface MessageBudget {
  /** Sustained messages per second and peer. */
  readonly perSecond: number;
  /** How many may come at once on top of the rate. */
  readonly burst: number;
  /** How many of this peer may be in our handler at the same time; more wait, and their streams are not read. */
  readonly inFlight: number;
}

/** The answer half of a request. */
export interface ResponseSpec<Res extends TSchema = TSchema> {
  readonly code: number;
  readonly name: string;
  readonly body: Res;
  readonly maxBytes: number;
}

/**
 * One wire message as data: its number, stream kind, schema, size and cost.
 *
 * `code` is one of the catalogue (`kernel/wire/catalogue.ts`). A third party's message has none and
 * travels in the extension frame 0xF0 under `name`, which is then `vendor/message@version`.
 */
export interface MessageSpec<
  Req extends TSchema = TSchema,
  Res extends TSchema | undefined = TSchema | undefined,
  Body = Static<Req>,
  Answer = Res extends TSchema ? Static<Res> : undefined,
> {
  readonly kind: 'message';
  readonly code: number | undefined;
  readonly name: string;
  /** `bi`: one request frame, one response frame. `uni`: one frame, no answer. */
  readonly stream: 'uni' | 'bi';
  readonly about: string;
  readonly body: Req;
  readonly response: Res extends TSchema ? ResponseSpec<Res> : undefined;
  /** Payload limit of the request in bytes, at most FRAME_MAX_BYTES. */
  readonly maxBytes: number;
  /** From the first byte to the end of the handler (receiver), and to the answer (sender). */
  readonly deadlineMs: number;
  readonly budget: MessageBudget;
  /** Only for the compiler. */
  readonly __body?: Body;
  /** Only for the compiler. */
  readonly __answer?: Answer;
}

interface CommonFields<Req extends TSchema> {
  readonly code?: number;
  readonly name: string;
  readonly about: string;
  readonly body: Req;
  readonly maxBytes: number;
  /** Default 10,000. */
  readonly deadlineMs?: number;
  readonly budget: MessageBudget;
}

export const MESSAGE_DEADLINE_MS = 10_000;

/** Declares a message that gets no answer (one frame on a uni-stream). */
export function defineNotice<Req extends TSchema>(fields: CommonFields<Req>): MessageSpec<Req, undefined> {
  return Object.freeze({
    deadlineMs: MESSAGE_DEADLINE_MS,
    ...fields,
    kind: 'message' as const,
    code: fields.code,
    stream: 'uni' as const,
    response: undefined,
  }) as MessageSpec<Req, undefined>;
}

/** Declares a request with its response (one frame each on a bi-stream). */
export function defineRequest<Req extends TSchema, Res extends TSchema>(
  fields: CommonFields<Req> & {
    readonly response: { code?: number; name?: string; body: Res; maxBytes: number };
  },
): MessageSpec<Req, Res> {
  return Object.freeze({
    deadlineMs: MESSAGE_DEADLINE_MS,
    ...fields,
    kind: 'message' as const,
    code: fields.code,
    stream: 'bi' as const,
    response: {
      code: fields.response.code ?? EXTENSION_CODE,
      name: fields.response.name ?? `${fields.name}:response`,
      body: fields.response.body,
      maxBytes: fields.response.maxBytes,
    },
  }) as MessageSpec<Req, Res>;
}

/** Frame type of namespaced third-party messages, in both directions. */
export const EXTENSION_CODE = 0xf0;

// biome-ignore lint/suspicious/noExplicitAny: existential type of a message table
export type AnyMessage = MessageSpec<TSchema, TSchema | undefined, any, any>;
export type BodyOf<M> = M extends { readonly __body?: infer Body } ? Body : never;
export type ResponseOf<M> = M extends { readonly __answer?: infer Answer } ? Answer : never;
