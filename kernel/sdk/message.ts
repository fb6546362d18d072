import type { Static, TSchema } from './typebox.ts';
import type { AnswerWithBytes, RawBody, RawSpec } from './raw-body.ts';

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
  /** Raw bytes may follow the frame, between peers that both offer the feature `raw-blob`. */
  readonly raw: RawSpec | undefined;
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
  Returned = Answer,
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
  /** Small frames of it share a stream with those of other such messages only, and keep no others waiting. */
  readonly priority?: 'background';
  /** Only for the compiler. */
  readonly __body?: Body;
  /** Only for the compiler. */
  readonly __answer?: Answer;
  /** Only for the compiler. */
  readonly __returned?: Returned;
}

/** `deadlineMs` is 10,000 unless given. */
interface CommonFields<Req extends TSchema> extends Partial<Pick<MessageSpec, 'deadlineMs' | 'priority'>> {
  readonly code?: number;
  readonly name: string;
  readonly about: string;
  readonly body: Req;
  readonly maxBytes: number;
  readonly budget: MessageBudget;
}

export const MESSAGE_DEADLINE_MS = 10_000;
export const RAW_IDLE_MS = 10_000;

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

/** What a request with `response.raw` resolves with: the bytes behind the response, where the peer sent any. */
type WithRawBody<Res extends TSchema> = Static<Res> & { readonly bytes?: RawBody };

type RequestSpec<Req extends TSchema, Res extends TSchema, Raw> = MessageSpec<
  Req,
  Res,
  Static<Req>,
  Raw extends undefined ? Static<Res> : WithRawBody<Res>,
  Raw extends undefined ? Static<Res> : Static<Res> | AnswerWithBytes<Static<Res>>
>;

/**
 * Declares a request with its response (one frame each on a bi-stream). With `response.raw`, `maxBytes`
 * of raw bytes may follow the response, see {@link withBytes}; `idleMs` is 10,000 unless given.
 */
export function defineRequest<
  Req extends TSchema,
  Res extends TSchema,
  Raw extends { maxBytes: number; idleMs?: number } | undefined = undefined,
>(
  fields: CommonFields<Req> & {
    readonly response: { code?: number; name?: string; body: Res; maxBytes: number; raw?: Raw };
  },
): RequestSpec<Req, Res, Raw> {
  const { code = EXTENSION_CODE, name = `${fields.name}:response`, body, maxBytes, raw } = fields.response;
  return Object.freeze({
    deadlineMs: MESSAGE_DEADLINE_MS,
    ...fields,
    kind: 'message' as const,
    code: fields.code,
    stream: 'bi' as const,
    response: { code, name, body, maxBytes, raw: raw && Object.freeze({ idleMs: RAW_IDLE_MS, ...raw }) },
  }) as RequestSpec<Req, Res, Raw>;
}

/** Frame type of namespaced third-party messages, in both directions. */
export const EXTENSION_CODE = 0xf0;

// biome-ignore lint/suspicious/noExplicitAny: existential type of a message table
export type AnyMessage = MessageSpec<TSchema, TSchema | undefined, any, any, any>;
export type BodyOf<M> = M extends { readonly __body?: infer Body } ? Body : never;
/** What a request resolves with. */
export type ResponseOf<M> = M extends { readonly __answer?: infer Answer } ? Answer : never;
/** What a handler returns: the response, with bytes behind it or without, and nothing for a notice. */
export type AnswerOf<M> = M extends { readonly __returned?: infer Returned }
  ? Returned extends undefined
    ? void
    : Returned
  : never;
