import type { Bus } from '../bus/bus.ts';
import { featuresChanged, serviceArrived, serviceDeparted } from '../sdk/lifecycle-topics.ts';
import type { AnyMessage } from '../sdk/message.ts';
import type { AnyPlugin } from '../sdk/plugin.ts';
import { RAW_BLOB } from '../sdk/raw-body.ts';
import { tokenKey } from '../sdk/token.ts';
import type { PluginRegistry } from './plugin-registry.ts';

/** What this node offers, to its own plugins and to peers, as it changes. */
export class CapabilityPublisher {
  readonly #bus: Bus;
  readonly #registry: PluginRegistry;
  #features: readonly string[] = [];

  constructor(bus: Bus, registry: PluginRegistry) {
    this.#bus = bus;
    this.#registry = registry;
  }

  /** Feature and message names of all active plugins, and `raw-blob` where one has raw bodies, sorted: what peers are told. */
  get features(): readonly string[] {
    return this.#features;
  }

  /** Tells the bus what came and went with a change. A token that was there before and after is no event. */
  changed(before: AnyPlugin | undefined, after: AnyPlugin | undefined): void {
    const plugin = (after ?? before)?.name ?? '';
    const names = (spec: AnyPlugin | undefined): Set<string> =>
      new Set((spec?.provides ?? []).map((token) => tokenKey(token)));
    const [had, has] = [names(before), names(after)];
    for (const token of had) if (!has.has(token)) this.#bus.publish(serviceDeparted, { token, plugin });
    for (const token of has) if (!had.has(token)) this.#bus.publish(serviceArrived, { token, plugin });
    const features = this.#collect();
    if (features.join() === this.#features.join()) return;
    this.#features = features;
    this.#bus.publish(featuresChanged, { features });
  }

  #collect(): string[] {
    const names = new Set<string>();
    for (const { generation } of this.#registry.all()) {
      for (const feature of generation?.plugin.features ?? []) names.add(feature);
      for (const message of Object.values<AnyMessage>(generation?.plugin.messages ?? {})) {
        names.add(message.name);
        if (message.response?.raw !== undefined) names.add(RAW_BLOB);
      }
    }
    return [...names].sort();
  }
}
