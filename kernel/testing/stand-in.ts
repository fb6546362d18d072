import { definePlugin, type AnyPlugin } from '../sdk/plugin.ts';
import { bind, type Token } from '../sdk/token.ts';
import { testingErrors } from './errors.ts';

/**
 * A plugin that plays the provider of a service: it has only the methods the test gives it, and a call
 * of any other fails by name. To stand in for a shipped plugin it takes that one's name.
 */
export function standIn<T extends object>(name: string, token: Token<T>, service: Partial<T>): AnyPlugin {
  const whole = new Proxy(service, {
    get(target, key, receiver) {
      if (key in target || typeof key === 'symbol') return Reflect.get(target, key, receiver);
      throw testingErrors.make('not-played', { name, method: key });
    },
  });
  return definePlugin({
    name,
    version: '1.0.0',
    kernel: '^1',
    about: `Plays ${name} in a test`,
    provides: [token],
    setup: () => ({ services: [bind(token, whole as T)] }),
  });
}
