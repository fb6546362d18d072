import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { statfsSync, statSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { Type } from '../../sdk/typebox.ts';
import { messageOf } from '../../sdk/errors.ts';
import { type ControlDeps, type KernelCommands, kernelCommand } from '../deps.ts';

type State = 'ok' | 'warn' | 'fail';

const Check = Type.Object({
  check: Type.String(),
  state: Type.String({ description: 'ok, warn or fail' }),
  detail: Type.String(),
  hint: Type.Union([Type.String(), Type.Null()]),
});
type Finding = { check: string; state: State; detail: string; hint: string | null };

const MEGABYTE = 1024 * 1024;
/** SQLite needs room for its write-ahead log and a checkpoint; below this a busy node soon stops storing. */
const DISK_WARN_BYTES = 500 * MEGABYTE;
const DISK_FAIL_BYTES = 50 * MEGABYTE;
/** A frame's handling plus rendering stays below it on a healthy machine. */
const LOOP_WARN_MS = 50;

/** `doctor`: each check says what it found and what to do about it. */
export const doctorCommands: KernelCommands = {
  doctor: kernelCommand(
    {
      about: 'Check database, disk, network, permissions and plugins',
      params: Type.Object({}),
      result: Type.Object({ ok: Type.Boolean(), checks: Type.Array(Check) }),
      text: ({ ok, checks }) => [...checks.map(line), '', verdict(ok, checks)].join('\n'),
    },
    async (_params, call, deps) => {
      const checks: Finding[] = [];
      const steps: [string, (deps: ControlDeps) => Finding | Finding[] | Promise<Finding | Finding[]>][] = [
        ['database', database],
        ['identity', keys],
        ['data directory', directory],
        ['disk', disk],
        ['network', network],
        ['event loop', eventLoop],
        ['plugins', plugins],
      ];
      for (const [index, [name, step]] of steps.entries()) {
        call.progress(name, index / steps.length);
        try {
          checks.push(...[await step(deps)].flat());
        } catch (error) {
          checks.push(finding(name, 'fail', messageOf(error)));
        }
      }
      return { ok: checks.every(({ state }) => state !== 'fail'), checks };
    },
  ),
};

function finding(check: string, state: State, detail: string, hint?: string): Finding {
  return { check, state, detail, hint: state === 'ok' ? null : (hint ?? null) };
}

function verdict(ok: boolean, checks: readonly { state: string }[]): string {
  if (!ok) return 'Something needs mending.';
  const warnings = checks.filter(({ state }) => state === 'warn').length;
  return warnings === 0 ? 'No problems found.' : `Nothing failed; ${warnings} to look at.`;
}

function line({ check, state, detail, hint }: { check: string; state: string; detail: string; hint: string | null }) {
  const mark = { ok: '✓', warn: '!', fail: '✗' }[state] ?? '?';
  return `${mark} ${check.padEnd(16)} ${detail}${hint === null ? '' : `\n${' '.repeat(19)}→ ${hint}`}`;
}

function database({ store }: ControlDeps): Finding {
  const problems = store.integrityCheck();
  if (problems.length === 0) return finding('database', 'ok', 'integrity_check: ok');
  const hint = 'Stop the node, keep a copy of itsgoin.db and restore a backup';
  return finding('database', 'fail', `${problems.length} problems, first: ${problems[0]}`, hint);
}

function keys({ dataDir, network }: ControlDeps): Finding[] {
  return ['identity.key', 'device.key'].map((file) => {
    const mode = statSync(`${dataDir}/${file}`).mode & 0o777;
    const owner = file === 'identity.key' ? network.self.nodeId : network.self.deviceId;
    if (process.platform === 'win32' || (mode & 0o077) === 0) return finding(file, 'ok', owner);
    return finding(file, 'fail', `others can read it (mode ${mode.toString(8)})`, `chmod 600 ${dataDir}/${file}`);
  });
}

function directory({ dataDir }: ControlDeps): Finding {
  const mode = statSync(dataDir).mode & 0o777;
  const open = process.platform !== 'win32' && (mode & 0o077) !== 0;
  const detail = open ? `${dataDir} is open to others (mode ${mode.toString(8)})` : dataDir;
  return finding('data directory', open ? 'warn' : 'ok', detail, `chmod 700 ${dataDir}`);
}

function disk({ dataDir }: ControlDeps): Finding {
  const { bavail, bsize } = statfsSync(dataDir);
  const free = bavail * bsize;
  const state = free < DISK_FAIL_BYTES ? 'fail' : free < DISK_WARN_BYTES ? 'warn' : 'ok';
  return finding('disk', state, `${Math.round(free / MEGABYTE)} MB free`, 'Make room: a full disk stops storing');
}

async function network({ network }: ControlDeps): Promise<Finding[]> {
  const outside = Object.values(networkInterfaces())
    .flat()
    .filter((address) => address !== undefined && !address.internal && !address.address.startsWith('fe80:'));
  const families = new Set(outside.map((address) => address?.family));
  const addresses = network.localAddresses();
  return [
    finding(
      'port',
      addresses.length > 0 ? 'ok' : 'warn',
      `UDP ${network.port}; reachable at ${addresses.join(', ') || 'no address'}`,
    ),
    await family('IPv4', 'udp4', families.has('IPv4')),
    await family('IPv6', 'udp6', families.has('IPv6')),
    finding('connections', 'ok', `${network.connections().length} open`),
  ];
}

async function family(name: string, kind: 'udp4' | 'udp6', present: boolean): Promise<Finding> {
  const socket = createSocket(kind);
  try {
    socket.bind(0);
    await once(socket, 'listening');
    return present
      ? finding(name, 'ok', 'available')
      : finding(name, 'warn', 'only on this machine itself', `No interface has an ${name} address beyond loopback`);
  } catch {
    return finding(name, 'warn', 'not available', `This machine cannot open ${name} sockets`);
  } finally {
    socket.close();
  }
}

function eventLoop({ gauges }: ControlDeps): Finding {
  const { p99, max } = gauges.read().loopDelayMs;
  const hint = 'Something computes for too long at once; `plugin inspect` shows the loops';
  return finding(
    'event loop',
    p99 > LOOP_WARN_MS ? 'warn' : 'ok',
    `p99 ${Math.round(p99)} ms, longest ${Math.round(max)} ms late since the start`,
    hint,
  );
}

/** Plugins may add checks of their own: `diagnostics().doctor = [{check, state, detail, hint}]`. */
function plugins({ host }: ControlDeps): Finding[] {
  return host.list().flatMap(({ name, state, reason }) => {
    const own: Finding = finding(
      `plugin ${name}`,
      state === 'failed' ? 'fail' : 'ok',
      state === 'active' ? 'active' : `${state}${reason === undefined ? '' : `: ${reason}`}`,
      `Mend it and run \`itsgoin plugin reload ${name}\`, or disable it`,
    );
    const added = state === 'active' ? host.diagnostics(name).doctor : undefined;
    return [
      own,
      ...(Array.isArray(added) ? added.map((check: Finding) => ({ ...check, hint: check.hint ?? null })) : []),
    ];
  });
}
