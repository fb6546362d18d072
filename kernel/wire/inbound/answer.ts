import { EXTENSION_CODE } from '../../sdk/message.ts';
import type { AnyMessage } from '../../sdk/message.ts';
import { AnswerWithBytes } from '../../sdk/raw-body.ts';
import type { IncomingStream } from '../../transport/transport.ts';
import { REFUSED_CODE } from '../catalogue.ts';
import { wireErrors } from '../errors.ts';
import { RAW_LENGTH_FIELD, encodeFrame } from '../frame.ts';
import * as limits from '../limits.ts';
import type { Serving } from '../message-route.ts';
import type { WireConnection } from '../wire-connection.ts';
import type { RawBytes } from './raw-writer.ts';

/** What goes back on the stream of a request: its response or a refusal, once. */
export class Answer {
  /** Nobody wants an answer, or it has gone out. */
  settled = false;
  readonly #wire: WireConnection;
  readonly #stream: IncomingStream;

  constructor(wire: WireConnection, stream: IncomingStream) {
    this.#wire = wire;
    this.#stream = stream;
  }

  /**
   * Sends the response. The bytes behind it, if any, are the caller's to send; the stream is left open for them.
   *
   * @throws wire/bad-body, wire/too-large, or TypeError when our own plugin answered what it had not
   *   declared; wire/raw-not-offered
   */
  respond({ message, answer }: Serving, value: unknown): RawBytes | undefined {
    const { response } = message;
    if (response === undefined || answer === undefined) return undefined;
    const raw = value instanceof AnswerWithBytes ? this.#checked(message, value) : undefined;
    let body = raw === undefined ? value : raw.answer;
    if (!answer.check(body)) {
      throw wireErrors.make('bad-body', { name: response.name, reason: answer.explain(body) });
    }
    if (raw !== undefined) body = { ...raw.answer, [RAW_LENGTH_FIELD]: raw.length };
    const { code, name, maxBytes } = response;
    const frame =
      code === EXTENSION_CODE
        ? encodeFrame(code, { name, body }, maxBytes + limits.EXTENSION_ENVELOPE_BYTES)
        : encodeFrame(code, body, maxBytes);
    this.settled = true;
    this.#send(code, name, frame, 'sent', raw === undefined);
    if (raw === undefined || response.raw === undefined) return undefined;
    return { name: message.name, length: raw.length, source: raw.source, idleMs: response.raw.idleMs };
  }

  /** Notices are refused in silence. */
  refuse(code: string, retryAfterMs?: number): void {
    if (this.settled || this.#stream.kind === 'uni' || this.#wire.closed) return;
    this.settled = true;
    const body = retryAfterMs === undefined ? { code } : { code, retry_after_ms: retryAfterMs };
    this.#send(REFUSED_CODE, 'Refused', encodeFrame(REFUSED_CODE, body, limits.REFUSED_MAX_BYTES), code);
  }

  #checked(message: AnyMessage, value: AnswerWithBytes<object>): AnswerWithBytes<object> {
    const { name, response } = message;
    const { length } = value;
    if (!this.#wire.carriesRaw(message)) {
      throw wireErrors.make('raw-not-offered', { name, peer: this.#wire.connection.peer.nodeId });
    }
    if (Number.isSafeInteger(length) && length >= 0 && length <= (response?.raw?.maxBytes ?? 0)) return value;
    throw wireErrors.make('bad-body', { name, reason: `${length} raw bytes` });
  }

  #send(code: number, name: string, frame: Uint8Array, outcome: string, fin = true): void {
    if (!this.#wire.write(this.#stream, frame, fin) || !this.#wire.context.trace.active) return;
    this.#wire.trace({ direction: 'out', code, name, stream: this.#stream.kind, bytes: frame.length, outcome });
  }
}
