import test from 'ava';
import { VirtualClock } from '../../kernel/clock/index.ts';
import { isDialable } from '../../kernel/transport/address.ts';
import type { AnchorsContext } from '../../plugins/anchors/context.ts';
import { AnchorStatus } from '../../plugins/anchors/anchor-status.ts';
import type { PeerDirectory } from '../../plugins/anchors/peer-directory.ts';

const HOUR_MS = 3_600_000;
const SLAAC = '[2a00:1450::5]:4433';
const HOME = '192.168.1.7:4433';

/** A node of which everything holds that makes an anchor, but for what the test changes. */
async function candidate(change: {
  addresses?: string[];
  mesh?: number;
  mobile?: boolean;
  hours?: number;
  probed?: boolean;
}) {
  const clock = new VirtualClock();
  const mesh = { size: change.mesh ?? 50 };
  const changes: boolean[] = [];
  const context = {
    ctx: {
      clock,
      config: { declare: false, mobile: change.mobile ?? false, minMesh: 50, minUptimeMs: 2 * HOUR_MS },
      deps: { portMapping: { available: false, tryUse: async () => undefined } },
      background: () => {},
      counters: { add() {} },
      log: { info() {} },
      emit: (_topic: unknown, { declared }: { declared: boolean }) => changes.push(declared),
    },
    network: {
      localAddresses: () => change.addresses ?? [HOME, SLAAC],
      mayDial: (address: string, toldFrom: string) => isDialable(address, toldFrom),
    },
  };
  const directory = { meshSize: () => mesh.size };
  const declaration = new AnchorStatus(context as unknown as AnchorsContext, directory as unknown as PeerDirectory);
  await clock.advance((change.hours ?? 2) * HOUR_MS);
  if (change.probed ?? true) declaration.probed(true);
  await declaration.review();
  return { declaration, clock, mesh, changes };
}

test('a node of which the whole checklist holds declares itself', async (t) => {
  const { declaration, changes } = await candidate({});
  t.true(declaration.isDeclared());
  t.deepEqual(changes, [true]);
  t.true(Object.values(await declaration.checklist()).every(Boolean));
});

for (const [what, change, failing] of [
  ['no mapping and no public IPv6', { addresses: [HOME] }, 'mapped_or_public_ipv6'],
  ['no probe', { probed: false }, 'probed_within_30_min'],
  ['49 mesh peers', { mesh: 49 }, 'enough_mesh_peers'],
  ['less than two hours', { hours: 1.99 }, 'up_long_enough'],
  ['a mobile device', { mobile: true }, 'not_mobile'],
] as const) {
  test(`${what} makes no anchor`, async (t) => {
    const { declaration } = await candidate({
      ...change,
      addresses: [...('addresses' in change ? change.addresses : [HOME, SLAAC])],
    });
    t.false(declaration.isDeclared());
    const failed = Object.entries(await declaration.checklist()).filter(([, holds]) => !holds);
    t.deepEqual(
      failed.map(([name]) => name),
      [failing],
    );
  });
}

test('a probe counts for 30 minutes, and peers that leave do not withdraw what was proved', async (t) => {
  const { declaration, clock, mesh } = await candidate({});
  mesh.size = 3;
  await clock.advance(HOUR_MS);
  await declaration.review();
  t.true(declaration.isDeclared());
  t.false((await declaration.checklist()).probed_within_30_min);
});

test('an anchor without --bind tells its public IPv6 address, and not those of its home', async (t) => {
  const { declaration } = await candidate({});
  t.deepEqual(declaration.ownAddresses(), [SLAAC]);
});

test('where nothing is public, what there is is told: a laboratory or a home network', async (t) => {
  const { declaration } = await candidate({ addresses: [HOME] });
  t.deepEqual(declaration.ownAddresses(), [HOME]);
});
