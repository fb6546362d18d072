import { Value } from '../sdk/typebox.ts';
import type { MessageHandler, MessageRouter, RouteEntry } from '../wire/message-router.ts';
import { ItsgoinError, messageOf } from '../sdk/errors.ts';
import { contributionsChanged } from '../sdk/lifecycle-topics.ts';
import type { AnyMessage } from '../sdk/message.ts';
import { tokenKey } from '../sdk/token.ts';
import { lifecycleErrors } from './errors.ts';
import type { Generation, GenerationDeps } from './generation.ts';
import type { PluginRecord } from './plugin-record.ts';

/** How long calls under way may go on once a swap holds new ones (then their signals abort). */
export const DRAIN_MS = 1_000;

/** The same when the whole node stops: all plugins together must fit into STOP_LIMIT_MS. */
export const STOP_DRAIN_MS = 250;
/** What stopping all plugins may take; a node ends within 5 s of being asked to (OPS-04). */
export const STOP_LIMIT_MS = 4_000;

export interface SwapDeps extends GenerationDeps {
  readonly router: MessageRouter;
  /** Command names that are the node's own; a plugin that claims one is refused. */
  readonly isKernelCommand?: (name: string) => boolean;
}

/**
 * Steps 5 to 9 of the hot swap: hold, drain, hand over, commit, retire. `next` has been prepared and
 * the old generation still serves when this is called.
 *
 * Returns how long messages were held, in milliseconds. Whoever won does not act by itself yet: the
 * caller calls its `run`.
 * @throws lifecycle/handover-failed, lifecycle/snapshot-failed after everything was put back to the old generation
 */
export async function switchGeneration(deps: SwapDeps, record: PluginRecord, next: Generation): Promise<number> {
  const { router, clock } = deps;
  const { name, gate } = record;
  const old = record.generation;
  const heldFromMs = clock.monotonic();

  if (old) {
    router.hold(name);
    gate.hold();
    old.pause();
  }
  next.events.collect();
  try {
    if (old) await drain(deps, record, old);
    if (old) handOver(deps, old, next);
  } catch (error) {
    old?.goLive();
    if (old) router.release(name);
    if (old) gate.open();
    await next.scope.close(error);
    throw error;
  }

  // The commit: one synchronous turn, so nobody sees half of it.
  router.install(name, routesOf(next));
  for (const token of old?.plugin.provides ?? []) deps.services.withdraw(tokenKey(token), name);
  for (const token of next.plugin.provides ?? []) {
    deps.services.provide(tokenKey(token), { plugin: name, gate, service: next.service(token) });
  }
  const contributor = {
    plugin: name,
    gate,
    call: <R>(code: () => R): R => next.call(code),
    reportFailure: next.reportFailure.bind(next),
  };
  const touched = deps.points.install(contributor, next.plugin.points ?? [], next.parts.contributes ?? []);
  record.commit(next);
  old?.events.close();
  next.goLive();
  router.release(name);
  gate.open();
  const heldMs = clock.monotonic() - heldFromMs;
  announce(deps, touched);

  await old?.scope.close(lifecycleErrors.make('swap-aborted-call', { name, limit: DRAIN_MS }));
  return heldMs;
}

/** Takes a plugin out of service: what runs may end, what waits is told that it is off. */
export async function withdraw(
  deps: SwapDeps,
  record: PluginRecord,
  reason: unknown,
  drainMs = DRAIN_MS,
): Promise<void> {
  const { router } = deps;
  const { name, gate, generation } = record;
  if (!generation) return;
  router.hold(name);
  gate.hold();
  generation.pause();
  await drain(deps, record, generation, drainMs);
  for (const token of generation.plugin.provides ?? []) deps.services.withdraw(tokenKey(token), name);
  const touched = deps.points.withdraw(name);
  record.withdraw();
  router.remove(name);
  gate.shut();
  announce(deps, touched);
  await generation.scope.close(reason);
}

function announce({ bus }: SwapDeps, points: readonly string[]): void {
  for (const point of points) bus.publish(contributionsChanged, { point });
}

async function drain(deps: SwapDeps, record: PluginRecord, old: Generation, limitMs = DRAIN_MS): Promise<void> {
  await Promise.all([
    deps.router.drain(record.name, limitMs),
    record.gate.drain(limitMs, deps.clock),
    old.drain(limitMs),
  ]);
}

/** Hands the old generation's state to the new one; a state that does not fit its schema stops the swap. */
function handOver(deps: SwapDeps, old: Generation, next: Generation): void {
  const { name, state: schema } = next.plugin;
  if (!old.parts.snapshot || !next.parts.restore) return;
  let state: unknown;
  try {
    state = old.parts.snapshot();
  } catch (error) {
    // No later code can mend this one's snapshot. Whoever comes again was told what gets lost.
    if (!old.snapshotFailed) {
      old.snapshotFailed = true;
      throw lifecycleErrors.make('snapshot-failed', { name, problem: messageOf(error) }, error);
    }
    deps.log('lifecycle').warn('state-lost', { plugin: name, error });
    return;
  }
  try {
    if (schema && !next.call(() => Value.Check(schema, state))) {
      const [first] = Value.Errors(schema, state);
      throw new Error(`state${first?.instancePath ?? ''} ${first?.message ?? 'does not match the schema'}`);
    }
    next.parts.restore(state);
  } catch (error) {
    throw lifecycleErrors.make('handover-failed', { name, problem: messageOf(error) }, error);
  }
}

function routesOf(generation: Generation): RouteEntry[] {
  return Object.entries<AnyMessage>(generation.plugin.messages ?? {}).map(([key, message]) => ({
    message,
    handler: guard(generation, `message ${message.name}`, generation.parts.handlers?.[key] as MessageHandler),
    call: generation.foreign ? (code) => generation.call(code) : undefined,
  }));
}

/** Lets a handler's own refusals through; anything else it throws also counts against its health. */
function guard(generation: Generation, where: string, handler: MessageHandler): MessageHandler {
  const report = (error: unknown): never => {
    if (!(error instanceof ItsgoinError)) generation.reportFailure(where, error);
    throw error;
  };
  return (body, call) => {
    try {
      const answer = handler(body, call);
      return answer instanceof Promise ? answer.catch(report) : answer;
    } catch (error) {
      return report(error);
    }
  };
}
