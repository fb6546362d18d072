/**
 * Errors carry a code, and callers branch on the code alone.
 *
 * Each folder declares its catalogue once with {@link defineErrors}; `docs/errors.md` is generated
 * from all catalogues, so a code that is thrown but not declared does not compile.
 */

/** What a catalogue says of one code. */
export interface ErrorSpec {
  /** One line for a person; `{name}` is replaced by the entry of that name in `data`. */
  readonly message: string;
  /** What the person can do about it, in one line. */
  readonly hint?: string;
  /** True when the same call may succeed later without any change. Default false. */
  readonly retryable?: boolean;
  /** True when a remote peer may be told this code. Messages and data never leave the node. Default false. */
  readonly peerVisible?: boolean;
  /**
   * True when only a forged or broken message of a peer causes it (a bad signature, say): a message
   * handler that throws it costs the sender misbehaviour points. Default false.
   */
  readonly blamesPeer?: boolean;
}

export type ErrorData = Readonly<Record<string, string | number | boolean | null>>;

/** A peer that is told a longer code takes the answer for a broken one. */
const CODE_MAX_CHARS = 64;

/** The only error class of the project. `code` is `<area>/<kebab-name>`. */
export class ItsgoinError extends Error {
  readonly code: string;
  readonly hint: string | undefined;
  readonly retryable: boolean;
  readonly peerVisible: boolean;
  readonly blamesPeer: boolean;
  readonly data: ErrorData;

  constructor(code: string, spec: ErrorSpec, data: ErrorData = {}, cause?: unknown) {
    super(fill(spec.message, data), cause === undefined ? undefined : { cause });
    this.name = 'ItsgoinError';
    this.code = code.slice(0, CODE_MAX_CHARS);
    this.hint = spec.hint === undefined ? undefined : fill(spec.hint, data);
    this.retryable = spec.retryable ?? false;
    this.peerVisible = spec.peerVisible ?? false;
    this.blamesPeer = spec.blamesPeer ?? false;
    this.data = data;
  }
}

export interface ErrorCatalogue<Name extends string> {
  readonly area: string;
  readonly specs: Readonly<Record<Name, ErrorSpec>>;
  /** Makes the error; the caller throws it. */
  make(name: Name, data?: ErrorData, cause?: unknown): ItsgoinError;
  /** The full code of a name, for comparisons: `errors.code('too-large') === error.code`. */
  code(name: Name): string;
}

/** Declares the errors of one area. Names are kebab-case and never reused for another meaning. */
export function defineErrors<Name extends string>(area: string, specs: Record<Name, ErrorSpec>): ErrorCatalogue<Name> {
  return {
    area,
    specs,
    make: (name, data, cause) => new ItsgoinError(`${area}/${name}`, specs[name], data, cause),
    code: (name) => `${area}/${name}`,
  };
}

/** The code of anything thrown: ours, Node's (`ENOSPC`), or `unknown`. */
export function codeOf(error: unknown): string {
  try {
    if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code;
  } catch {
    // A thrown thing may be a proxy, or have getters that throw: who reports an error must not fail by it.
  }
  return 'unknown';
}

/** Nobody reads further, and an answer or a log line that quotes an error has to fit somewhere. */
export const ERROR_TEXT_MAX_CHARS = 8_000;

/** A text that an error carries, cut where it gets too long to be shown or sent. */
export function errorText(text: string): string {
  if (text.length <= ERROR_TEXT_MAX_CHARS) return text;
  return `${text.slice(0, ERROR_TEXT_MAX_CHARS)} … (${text.length - ERROR_TEXT_MAX_CHARS} more characters)`;
}

/** What was thrown, in words for a person, whatever it is; at most about {@link ERROR_TEXT_MAX_CHARS}. */
export function messageOf(error: unknown): string {
  try {
    return errorText(error instanceof Error ? String(error.message) : String(error));
  } catch {
    return 'something was thrown that cannot be shown';
  }
}

/** The same with the name of the error before it, where it has one. */
export function textOf(error: unknown): string {
  try {
    return errorText(String(error));
  } catch {
    return messageOf(error);
  }
}

function fill(template: string, data: ErrorData): string {
  return template.replace(/\{(\w+)\}/g, (whole, name: string) => (name in data ? String(data[name]) : whole));
}
