import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Type, type Static, Value } from '../kernel/sdk/typebox.ts';
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

/** Of plugins, by their names. */
const Settings = Type.Record(Type.String(), Type.Record(Type.String(), Type.Unknown()));
export type Settings = Static<typeof Settings>;

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
  /**
   * Every one tells its peers so many false neighbours, again and again: ids nobody has, real nodes that are
   * none of its neighbours (on or off), or the group `liars`.
   */
  step('lie', {
    who: Who,
    lie: Type.Union([Type.Literal('invented-ids'), Type.Literal('fake-n2'), Type.Literal('accomplices')]),
    ids: Type.Integer({ minimum: 1, maximum: 2_048 }),
    every: Duration,
    times: Count,
  }),
  /**
   * From now on, until they stop, their redirects are false: each names the next of them and the last the
   * first, or an invented id at the address of a stranger.
   */
  step('misdirect', { who: Who, to: Type.Union([Type.Literal('next-liar'), Type.Literal('stranger')]) }),
  /** They dial one machine, again and again. */
  step('besiege', { who: Who, victim: Count, every: Duration, times: Count }),
  /** From now on the groups cannot hear each other. */
  step('partition', { groups: Type.Array(Who, { minItems: 2 }) }),
  step('heal', {}),
  step('link', Link),
]);
export type Step = Static<typeof Step>;

/** A number that must come out within bounds: at one time, or at all times from `from` (sampled every 10 s). */
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
    /** The group whose machines are behind one address. */
    oneHost: Type.Optional(Type.String({ minLength: 1 })),
    bootstrap: Type.Optional(Count),
    /** The way between any two machines at the start. */
    link: Type.Optional(Type.Object(Link, strict)),
    /** Plugin settings of every machine, by plugin. */
    config: Type.Optional(Settings),
    groups: Type.Optional(Type.Record(Type.String(), Type.Union([Range, Type.Array(Range)]))),
    /** Plugin settings of the machines of a group, over those of all. */
    groupConfig: Type.Optional(Type.Record(Type.String(), Settings)),
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

/**
 * A shipped scenario by its name, or any by the path of its file, which ends in `.json`.
 *
 * @throws sim/unknown-scenario, sim/no-scenario-file, sim/bad-scenario
 */
export function readScenario(name: string): Scenario | LightScenario {
  const isFile = name.endsWith('.json');
  if (!isFile && !scenarioNames().includes(name)) throw simErrors.make('unknown-scenario', { name });
  const text = readText(isFile ? resolve(name) : `${SCENARIOS}${name}.json`);
  const value = parse(name, text);
  const light = typeof value === 'object' && value !== null && 'model' in value;
  return light ? { ...check(LightScenario, name, value), name } : parseScenario(name, text);
}

/** A scenario of real nodes. @throws sim/bad-scenario */
export function parseScenario(name: string, text: string): Scenario {
  return { ...check(Scenario, name, parse(name, text)), name };
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw simErrors.make('no-scenario-file', { file, reason: (error as NodeJS.ErrnoException).code ?? String(error) });
  }
}

function parse(name: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw mistakeIn(name, String(error));
  }
}

/** To be thrown for a mistake that the schema does not see. */
export function mistakeIn(name: string, problem: string): Error {
  return simErrors.make('bad-scenario', { file: name.endsWith('.json') ? name : `${name}.json`, problem });
}

function check<T extends Type.TSchema>(schema: T, name: string, value: unknown): Static<T> {
  if (Value.Check(schema, value)) return value;
  throw mistakeIn(name, stepProblem(value) ?? problemOf(schema, value, ''));
}

/** Of a step, what is wrong with one of its kind: that it is none of all kinds helps nobody. */
function stepProblem(value: unknown): string | undefined {
  const { timeline } = (value ?? {}) as { timeline?: unknown };
  if (!Array.isArray(timeline)) return undefined;
  const at = timeline.findIndex((step) => !Value.Check(Step, step));
  if (at < 0) return undefined;
  const kind = (timeline[at] as { do?: unknown } | null)?.do;
  const schema = Step.anyOf.find(({ properties }) => properties.do.const === kind);
  if (schema !== undefined) return problemOf(schema, timeline[at], `/timeline/${at}`);
  const kinds = Step.anyOf.map(({ properties }) => properties.do.const).join(', ');
  return `/timeline/${at} does "${String(kind)}", and there is only ${kinds}`;
}

function problemOf(schema: Type.TSchema, value: unknown, place: string): string {
  const [first] = Value.Errors(schema, value);
  const { additionalProperties } = (first?.params ?? {}) as { additionalProperties?: readonly string[] };
  const which = additionalProperties === undefined ? '' : `: ${additionalProperties.join(', ')}`;
  return `${place}${first?.instancePath} ${first?.message}${which}`.trim();
}
