import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import Type, { type Static } from 'typebox';
import { Value } from 'typebox/value';
import { DURATION_PATTERN } from './durations.ts';
import { simErrors } from './errors.ts';

/** The files lie beside the sources; compiled code is one folder deeper. */
const SCENARIOS = fileURLToPath(
  new URL(`${import.meta.url.endsWith('.js') ? '../../sim' : '.'}/scenarios/`, import.meta.url),
);

const Duration = Type.String({ pattern: DURATION_PATTERN });
const Share = Type.Number({ minimum: 0, maximum: 1 });
const Count = Type.Integer({ minimum: 0 });
const strict = { additionalProperties: false };
const Seed = Type.Union([Type.Integer(), Type.String()]);

const Range = Type.Object({ first: Count, last: Count }, strict);
/** `all`, `anchors`, `others` (all but anchors), a group's name, or machines `first` to `last` by their number. */
const Who = Type.Union([Type.String({ minLength: 1 }), Range, Type.Array(Range)]);
export type Who = Static<typeof Who>;

const Link = {
  latencyMs: Type.Optional(Type.Number({ minimum: 0 })),
  jitterMs: Type.Optional(Type.Number({ minimum: 0 })),
  /** Share of dials that get no answer. */
  dialFailure: Type.Optional(Share),
  /** Share of packets lost; each costs the message it belongs to a retransmission. */
  packetLoss: Type.Optional(Share),
};

const step = <Name extends string, P extends Record<string, Type.TSchema>>(name: Name, properties: P) =>
  Type.Object({ at: Duration, do: Type.Literal(name), ...properties }, strict);

/** What happens in a scenario, each at its time. */
export const Step = Type.Union([
  /** Switches machines on, evenly spread over `over`. */
  step('start', { who: Who, over: Type.Optional(Duration) }),
  /** Every one dials so many others at random, as a user would. */
  step('connect', { who: Who, peers: Count, over: Type.Optional(Duration) }),
  /** One dials another, as its user would with a connect string from elsewhere. */
  step('meet', { one: Count, other: Count }),
  /** Every one follows so many others at random. */
  step('follow', { who: Who, others: Count, over: Type.Optional(Duration) }),
  /** So many posts by random authors, evenly spread. */
  step('post', { who: Who, posts: Count, over: Type.Optional(Duration) }),
  /** Shuts machines down in order; `share` of them at random. */
  step('stop', { who: Who, share: Type.Optional(Share) }),
  /** Cuts their power. */
  step('kill', { who: Who, share: Type.Optional(Share) }),
  /** Machines go at random, `perHour` of all in an hour, half of them without a word, and come back after `away`. */
  step('churn', { who: Who, perHour: Share, away: Duration, for: Duration }),
  /** Each of two puts the other on its mesh blacklist. */
  step('keep-apart', { one: Count, other: Count }),
  /** Ends the connections between two machines, again and again. */
  step('flap', { one: Count, other: Count, every: Duration, times: Count }),
  /** Each member of the group `liars` that is among `who` tells its peers so many false ids, again and again. */
  step('lie', {
    who: Who,
    lie: Type.Union([Type.Literal('invented-ids'), Type.Literal('accomplices')]),
    ids: Type.Integer({ minimum: 1, maximum: 2_048 }),
    every: Duration,
    times: Count,
  }),
  /** They dial one machine, again and again. */
  step('besiege', { who: Who, victim: Count, every: Duration, times: Count }),
  /** From now on the groups cannot hear each other. */
  step('partition', { groups: Type.Array(Who, { minItems: 2 }) }),
  step('heal', {}),
  step('link', Link),
]);
export type Step = Static<typeof Step>;

/** A number that must come out within bounds: at one time, or at all times from `from` (sampled each second). */
export const Expectation = Type.Object(
  {
    that: Type.String(),
    at: Type.Optional(Duration),
    from: Type.Optional(Duration),
    until: Type.Optional(Duration),
    min: Type.Optional(Type.Number()),
    max: Type.Optional(Type.Number()),
    /** Which row of the requirements, or why this bound. */
    because: Type.Optional(Type.String()),
  },
  strict,
);
export type Expectation = Static<typeof Expectation>;

export const Scenario = Type.Object(
  {
    about: Type.String(),
    nodes: Type.Integer({ minimum: 1, maximum: 20_000 }),
    minutes: Type.Number({ exclusiveMinimum: 0 }),
    seed: Seed,
    /** Machines 0 to anchors - 1 are declared anchors; the others start with `bootstrap` of them. */
    anchors: Type.Optional(Count),
    bootstrap: Type.Optional(Count),
    /** The way between any two machines at the start. */
    link: Type.Optional(Type.Object(Link, strict)),
    /** Plugin settings of every machine, by plugin. */
    config: Type.Optional(Type.Record(Type.String(), Type.Record(Type.String(), Type.Unknown()))),
    groups: Type.Optional(Type.Record(Type.String(), Type.Union([Range, Type.Array(Range)]))),
    timeline: Type.Array(Step),
    expect: Type.Array(Expectation, { minItems: 1 }),
  },
  strict,
);
export type Scenario = Static<typeof Scenario> & { readonly name: string };

const FigureExpectations = Type.Array(
  Type.Object(
    {
      case: Type.String(),
      that: Type.String(),
      min: Type.Optional(Type.Number()),
      max: Type.Optional(Type.Number()),
      because: Type.Optional(Type.String()),
    },
    strict,
  ),
  { minItems: 1 },
);

/** Light models: thousands of nodes as numbers, which run the plugins' own algorithms without their frames. */
export const LightScenario = Type.Union([
  /** Searches over 10,000 nodes; the cases and figures are those of `bench/worm`. */
  Type.Object(
    {
      about: Type.String(),
      model: Type.Literal('worm'),
      seed: Seed,
      searches: Type.Integer({ minimum: 1 }),
      expect: FigureExpectations,
    },
    strict,
  ),
  /** Meshes that grow; a case is called `10000 nodes, 101 slots`. */
  Type.Object(
    {
      about: Type.String(),
      model: Type.Literal('growth'),
      seed: Seed,
      minutes: Type.Number({ exclusiveMinimum: 0 }),
      cases: Type.Array(
        Type.Object({ nodes: Type.Integer({ minimum: 2 }), slots: Type.Integer({ minimum: 1 }) }, strict),
        { minItems: 1 },
      ),
      expect: FigureExpectations,
    },
    strict,
  ),
]);
export type LightScenario = Static<typeof LightScenario> & { readonly name: string };

export function scenarioNames(): readonly string[] {
  return readdirSync(SCENARIOS)
    .filter((file) => file.endsWith('.json'))
    .map((file) => file.slice(0, -'.json'.length))
    .sort();
}

export function isLight(scenario: Scenario | LightScenario): scenario is LightScenario {
  return 'model' in scenario;
}

/** @throws sim/unknown-scenario, sim/bad-scenario */
export function readScenario(name: string): Scenario | LightScenario {
  if (!scenarioNames().includes(name)) throw simErrors.make('unknown-scenario', { name });
  const text = readFileSync(`${SCENARIOS}${name}.json`, 'utf8');
  const value = parse(name, text);
  const light = typeof value === 'object' && value !== null && 'model' in value;
  return light ? { ...check(LightScenario, name, value), name } : parseScenario(name, text);
}

/** A scenario of real nodes. @throws sim/bad-scenario */
export function parseScenario(name: string, text: string): Scenario {
  return { ...check(Scenario, name, parse(name, text)), name };
}

function parse(name: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw simErrors.make('bad-scenario', { file: `${name}.json`, problem: String(error) });
  }
}

function check<T extends Type.TSchema>(schema: T, name: string, value: unknown): Static<T> {
  if (Value.Check(schema, value)) return value;
  const [first] = Value.Errors(schema, value);
  const problem = `${first?.instancePath} ${first?.message}`;
  throw simErrors.make('bad-scenario', { file: `${name}.json`, problem });
}
