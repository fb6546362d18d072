/**
 * A resource of the data plane that the kernel owns and lends: the network endpoint, a UDP socket, a
 * listening socket. It survives the swap of the plugin that uses it; what the plugin opened through
 * it for itself is given back when its generation ends.
 */
export interface LeaseToken<T, Options = undefined> {
  readonly kind: 'lease';
  readonly name: string;
  readonly __resource?: T;
  readonly __options?: Options;
}

export function defineLease<T, Options = undefined>(name: string): LeaseToken<T, Options> {
  return Object.freeze({ kind: 'lease' as const, name });
}
