/**
 * Freezes plain objects and arrays all the way down and returns the value. Stops at what is frozen
 * already and leaves class instances and byte arrays as they are (typed arrays cannot be frozen).
 */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== Array.prototype && prototype !== null) return value;
  Object.freeze(value);
  for (const child of Object.values(value)) deepFreeze(child);
  return value;
}
