import { milliseconds } from './durations.ts';
import { besiege, misdirect, tellLies } from './liars.ts';
import type { Machine } from '../kernel/testing/machine.ts';
import type { Step } from './scenario.ts';
import type { World } from './world.ts';

/** Something that happens at one instant. Drawn at random when it happens, not before. */
export interface Deed {
  readonly atMs: number;
  run(): void | Promise<void>;
}

type Spread = { readonly at: string; readonly over?: string };

/** What a step comes to, instant by instant. */
export function deedsOf(step: Step, world: World): Deed[] {
  const atMs = milliseconds(step.at);
  switch (step.do) {
    case 'start':
      return spread(step, world.select(step.who), (machine) => world.start(machine));
    case 'connect':
      return spread(step, world.select(step.who), (machine) => {
        if (machine.node === undefined) return;
        for (const other of world.sample(world.up(), step.peers, machine)) {
          world.command(machine, 'peer.connect', { target: other.connectString });
        }
      });
    case 'meet':
      return [
        {
          atMs,
          run: () => {
            const target = world.machine(step.other).connectString;
            world.command(world.machine(step.one), 'peer.connect', { target });
          },
        },
      ];
    case 'follow':
      return spread(step, world.select(step.who), (machine) => {
        if (machine.node === undefined) return;
        for (const other of world.sample(world.up(), step.others, machine)) {
          world.command(machine, 'follow.add', { target: other.connectString });
          world.posts.follows(machine.number, other.number);
        }
      });
    case 'post':
      return spread(
        step,
        Array.from({ length: step.posts }, (_, number) => number),
        (number) => {
          const [author] = world.sample(
            world.select(step.who).filter(({ node }) => node),
            1,
          );
          if (author !== undefined) publish(world, author, `Post ${number} of the simulation`);
        },
      );
    case 'stop':
    case 'kill':
      return [
        {
          atMs,
          run: () => {
            const up = world.select(step.who).filter(({ node }) => node);
            const chosen = step.share === undefined ? up : world.sample(up, Math.round(up.length * step.share));
            return step.do === 'kill' ? world.kill(chosen) : world.stop(chosen);
          },
        },
      ];
    case 'churn':
      return churn(step, world);
    case 'keep-apart':
      return [{ atMs, run: () => world.keepApart(world.machine(step.one), world.machine(step.other)) }];
    case 'flap':
      return repeat(step, () =>
        world.network.breakConnections(world.machine(step.one).host, world.machine(step.other).host),
      );
    case 'lie':
      return repeat(step, (turn) => {
        for (const liar of world.select(step.who)) tellLies(world, liar, step.lie, step.ids, turn);
      });
    case 'misdirect':
      return [{ atMs, run: () => misdirect(world, world.select(step.who), step.to) }];
    case 'besiege':
      return repeat(step, () => {
        for (const liar of world.select(step.who)) besiege(world, liar, world.machine(step.victim));
      });
    case 'partition':
      return [
        {
          atMs,
          run: () => world.network.partition(step.groups.map((who) => world.select(who).map(({ host }) => host))),
        },
      ];
    case 'heal':
      return [{ atMs, run: () => world.network.heal() }];
    case 'link': {
      const { at: _at, do: _do, ...link } = step;
      return [{ atMs, run: () => world.network.setDefaultLink(link) }];
    }
  }
}

/** Evenly over the step's time, in order. */
function spread<T>(step: Spread, items: readonly T[], run: (item: T) => void | Promise<void>): Deed[] {
  const atMs = milliseconds(step.at);
  const overMs = step.over === undefined ? 0 : milliseconds(step.over);
  return items.map((item, index) => ({ atMs: atMs + (overMs * index) / items.length, run: () => run(item) }));
}

function repeat(step: { at: string; every: string; times: number }, run: (turn: number) => void): Deed[] {
  const [atMs, everyMs] = [milliseconds(step.at), milliseconds(step.every)];
  return Array.from({ length: step.times }, (_, turn) => ({ atMs: atMs + turn * everyMs, run: () => run(turn) }));
}

/** The times are drawn beforehand, who it is at the time. */
function churn(step: Extract<Step, { do: 'churn' }>, world: World): Deed[] {
  const forMs = milliseconds(step.for);
  const awayMs = milliseconds(step.away);
  const count = Math.round((world.select(step.who).length * step.perHour * forMs) / 3_600_000);
  return Array.from({ length: count }, (_, number) => {
    const atMs = milliseconds(step.at) + world.random.float() * forMs;
    let gone: Machine | undefined;
    return [
      {
        atMs,
        run: async () => {
          [gone] = world.sample(
            world.select(step.who).filter(({ node }) => node),
            1,
          );
          if (gone !== undefined) await (number % 2 === 0 ? world.kill([gone]) : world.stop([gone]));
        },
      },
      { atMs: atMs + awayMs, run: async () => void (gone && (await world.start(gone))) },
    ];
  }).flat();
}

function publish(world: World, author: Machine, text: string): void {
  world.command(author, 'post.create', { text }, (result) => {
    world.posts.published((result as { id: string }).id, author.number);
  });
}
