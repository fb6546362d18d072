import { EventEmitter } from 'node:events';
import { Duplex, Readable, Stream, Transform, Writable } from 'node:stream';

/**
 * Names that code gives its own objects though their prototype has them: assigning there has to go on working, which
 * it would not where the prototype's property is read-only.
 */
const OVERRIDDEN = new Set([
  ...['toString', 'toLocaleString', 'valueOf', 'toJSON', 'hasOwnProperty', 'isPrototypeOf', 'propertyIsEnumerable'],
  ...['name', 'message', 'length', 'call', 'apply', 'bind'],
]);
/**
 * V8 looks here whether all is as it made it, and is slower for good where it is not; or code is meant to write here.
 */
const LEFT_ALONE = new Set(['constructor', 'stackTraceLimit', 'prepareStackTrace', '__proto__']);
/** Of `process`, which is guarded elsewhere, and partly taken over by who draws on the terminal. */
const OF_PROCESS = ['nextTick', 'hrtime', 'memoryUsage', 'cwd', 'uptime', 'cpuUsage', 'emitWarning'];
/** Looking at one of these loads 20 ms of code, and nothing of the node uses it. */
const UNLOADED =
  /^(fetch|FormData|Headers|Request|Response|MessageEvent|CloseEvent|WebSocket|EventSource|Storage|.*Storage|CompressionStream|DecompressionStream|Crypto.*|crypto|SubtleCrypto|navigator|Navigator|Lock.*|global|globalThis)$/;

/**
 * Makes what every file of the process shares read-only, before code of a third party runs: the globals, their methods
 * and those of emitters and streams. Who tries to replace one fails where he does it. New names may still be added,
 * but to the prototypes that all objects have.
 */
export function lockBuiltIns(): void {
  const globals = Object.getOwnPropertyNames(globalThis).filter((name) => !UNLOADED.test(name));
  const shared = new Set<object>();
  for (const name of globals) {
    const { value } = Object.getOwnPropertyDescriptor(globalThis, name) ?? {};
    // A changed RegExp makes every search and replacement five times slower; the terminal UI takes over the console.
    if (!isObject(value) || value === RegExp || value === console) continue;
    shared.add(value);
    if (typeof value === 'function' && isObject(value.prototype)) shared.add(value.prototype);
  }
  for (const typed of [Object.getPrototypeOf(Int8Array), Object.getPrototypeOf(Int8Array.prototype)]) shared.add(typed);
  for (const object of shared) lockAll(object, false);
  for (const emitter of [EventEmitter, Stream, Readable, Writable, Duplex, Transform]) lockAll(emitter.prototype, true);
  for (const name of OF_PROCESS) Object.defineProperty(process, name, { writable: false, configurable: false });
  for (const name of globals) {
    const found = Object.getOwnPropertyDescriptor(globalThis, name);
    if (found?.configurable !== true) continue;
    const locked = 'value' in found ? { ...found, writable: false } : { ...found, set: undefined };
    Object.defineProperty(globalThis, name, { ...locked, configurable: false });
  }
  for (const prototype of [Object.prototype, Function.prototype, Promise.prototype])
    Object.preventExtensions(prototype);
}

function isObject(value: unknown): value is object {
  return typeof value === 'function' || (typeof value === 'object' && value !== null);
}

function lockAll(object: object, overridden: boolean): void {
  for (const key of Object.getOwnPropertyNames(object)) {
    const found = Object.getOwnPropertyDescriptor(object, key);
    if (LEFT_ALONE.has(key) || found?.configurable !== true || typeof found.value !== 'function') continue;
    const instead =
      overridden || OVERRIDDEN.has(key)
        ? overridable(object, key, found)
        : { ...found, writable: false, configurable: false };
    Object.defineProperty(object, key, instead);
  }
  keepFast(object);
}

/** V8 keeps what was changed in many places as a slow table, until it sees that objects inherit from it. */
function keepFast(object: object): void {
  const { nothing } = Object.create(object) as { nothing?: unknown };
  void nothing;
}

/** The same value for all that have the prototype, and a place of its own for whoever assigns another. */
function overridable(
  object: object,
  key: string,
  { value, enumerable = false }: PropertyDescriptor,
): PropertyDescriptor {
  return {
    get: () => value,
    set(this: object, other: unknown) {
      if (this === object)
        throw new TypeError(`Cannot assign to read only property '${key}' of what all plugins share`);
      Object.defineProperty(this, key, { value: other, writable: true, enumerable: true, configurable: true });
    },
    enumerable,
    configurable: false,
  };
}
