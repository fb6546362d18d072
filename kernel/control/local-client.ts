import { linkSignals } from '../clock/linked-signal.ts';
import type { ItsgoinError } from '../sdk/errors.ts';
import type { ControlApi } from './api.ts';
import type { ControlClient } from './client.ts';
import { controlErrors } from './errors.ts';

/** A client of a node in this process: the same calls and errors, without a socket. */
export function localClient(api: ControlApi): ControlClient {
  const closing = new AbortController();
  const closed = Promise.withResolvers<ItsgoinError | undefined>();

  const run: ControlClient['run'] = async (command, params = {}, { signal, onProgress, wide = false } = {}) => {
    const link = linkSignals([signal, closing.signal]);
    try {
      const progress = (step: string, fraction?: number) => onProgress?.(step, fraction);
      const result = await api.run(command, params, { signal: link.signal, progress });
      return { result, text: api.render(command, result, { wide }) };
    } catch (error) {
      throw link.signal.aborted ? controlErrors.make('cancelled', {}, error) : error;
    } finally {
      link.dispose();
    }
  };

  return {
    run,
    call: async <R>(...args: Parameters<ControlClient['call']>) => (await run(...args)).result as R,
    async subscribe(stream, params, onEvent, { signal } = {}) {
      const stop = api.subscribe(stream, params, (event, dropped = 0) => onEvent(event as never, dropped));
      const link = linkSignals([signal, closing.signal]);
      link.signal.addEventListener('abort', stop, { once: true });
      if (link.signal.aborted) stop();
      return () => link.abort();
    },
    describe: async () => api.describe(),
    closed: closed.promise,
    close() {
      closing.abort();
      closed.resolve(undefined);
    },
  };
}
