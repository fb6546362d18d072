import { EXTENSION_CODE } from '../../sdk/message.ts';
import type { IncomingStream } from '../../transport/transport.ts';
import { REFUSED_CODE } from '../catalogue.ts';
import { wireErrors } from '../errors.ts';
import { encodeFrame } from '../frame.ts';
import * as limits from '../limits.ts';
import type { Serving } from '../message-route.ts';
import type { WireConnection } from '../wire-connection.ts';

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

  /** @throws wire/bad-body, wire/too-large, or TypeError when our own plugin answered what it had not declared */
  respond({ message, answer }: Serving, value: unknown): void {
    const { response } = message;
    if (response === undefined || answer === undefined) return;
    if (!answer.check(value)) {
      throw wireErrors.make('bad-body', { name: response.name, reason: answer.explain(value) });
    }
    const { code, name, maxBytes } = response;
    const frame =
      code === EXTENSION_CODE
        ? encodeFrame(code, { name, body: value }, maxBytes + limits.EXTENSION_ENVELOPE_BYTES)
        : encodeFrame(code, value, maxBytes);
    this.settled = true;
    this.#send(code, name, frame, 'sent');
  }

  /** Notices are refused in silence. */
  refuse(code: string, retryAfterMs?: number): void {
    if (this.settled || this.#stream.kind === 'uni' || this.#wire.closed) return;
    this.settled = true;
    const body = retryAfterMs === undefined ? { code } : { code, retry_after_ms: retryAfterMs };
    this.#send(REFUSED_CODE, 'Refused', encodeFrame(REFUSED_CODE, body, limits.REFUSED_MAX_BYTES), code);
  }

  #send(code: number, name: string, frame: Uint8Array, outcome: string): void {
    if (!this.#wire.write(this.#stream, frame) || !this.#wire.context.trace.active) return;
    this.#wire.trace({ direction: 'out', code, name, stream: this.#stream.kind, bytes: frame.length, outcome });
  }
}
