import { randomBytes } from 'node:crypto';
import { systemClock, systemRandom } from '../../kernel/clock/index.ts';
import { makeCredentials } from '../../kernel/identity/certificate.ts';
import type { NodeId, PeerId } from '../../kernel/index.ts';
import { createCounters } from '../../kernel/observe/index.ts';
import { messageFrame } from '../../kernel/testing/frames.ts';
import { parseAddress, quicTransport } from '../../kernel/transport/index.ts';
import type { Connection, Endpoint, Stream } from '../../kernel/transport/transport.ts';
import { initialExchange } from '../../plugins/peers/messages.ts';
import { followingNotice } from '../../plugins/social/messages.ts';
import { recordingLog } from '../rig/recording-log.ts';

/**
 * One machine under many names, for a test that runs this file as a process: `crowd.js <node id> <host:port>
 * <names> <own host>...`. Each name dials the node, asks for a mesh slot, says that it follows, pesters it, and stays as
 * long as it is let; who is refused tries again. Prints what became of them when its stdin closes.
 */
const [nodeId, target, names, ...hosts] = process.argv.slice(2) as [NodeId, string, string, ...string[]];
const ANSWER_MS = 5_000;
const PESTER_MS = 200;

const log = recordingLog();
const counters = createCounters().of('crowd');
const transport = quicTransport({ clock: systemClock(), random: systemRandom(), log, counters });
const figures = { tried: 0, connected: 0, refused: 0, slots: 0, peers: 0 };
let ended = false;

interface Name {
  readonly endpoint: Endpoint;
  readonly ids: PeerId;
}

async function open(index: number): Promise<Name> {
  const credentials = makeCredentials(randomBytes(32), randomBytes(32));
  const host = hosts[index % hosts.length] as string;
  const bind = { host, port: 0, family: host.includes(':') ? 6 : 4 } as const;
  const endpoint = await transport.open({ bind, credentials, onConnection() {} });
  return { endpoint, ids: credentials.self };
}

/** Whether it was taken as a peer. */
async function enter({ ids }: Name, connection: Connection): Promise<boolean> {
  const hello = {
    ...{ protocol: 1, node_id: ids.nodeId, device_id: ids.deviceId, features: [followingNotice.name] },
    ...{ features_revision: 0, nplus10: [ids.nodeId], nat_type: 'public', addresses: [], your_observed_addr: target },
    ...{ wants_slot: true, need: 'slots', sections: { following: { following: true } } },
  };
  const answer = await ask(connection, messageFrame(initialExchange, hello));
  if (answer === undefined) return false;
  figures.peers++;
  if (answer.includes('"slot":"granted"')) figures.slots++;
  return true;
}

function ask(connection: Connection, frame: Uint8Array): Promise<string | undefined> {
  return new Promise((resolve) => {
    const opened = connection.openBi();
    if (opened instanceof Promise) return resolve(undefined);
    const limit = setTimeout(() => resolve(undefined), ANSWER_MS);
    const done = (text: string | undefined): void => {
      clearTimeout(limit);
      resolve(text);
    };
    let text = '';
    opened.onAbort = () => done(undefined);
    opened.onData = (chunk, fin) => {
      text += Buffer.from(chunk).toString('latin1');
      if (fin) done(text);
    };
    opened.write(frame, true);
  });
}

function tell(connection: Connection, frame: Uint8Array): void {
  const opened = connection.openUni();
  if (!(opened instanceof Promise)) (opened as Stream).write(frame, true);
}

async function live(index: number): Promise<void> {
  const name = await open(index);
  figures.tried++;
  try {
    const connection = await name.endpoint.dial({ addresses: [parseAddress(target)], expect: nodeId });
    figures.connected++;
    if (await enter(name, connection)) {
      for (let following = true; !ended && connection.closed === undefined; following = !following) {
        tell(connection, messageFrame(followingNotice, { following }));
        await new Promise((resolve) => setTimeout(resolve, PESTER_MS));
      }
    }
  } catch {
    figures.refused++;
  } finally {
    await name.endpoint.close();
  }
}

let next = 0;
async function worker(): Promise<void> {
  while (!ended) await live(next++ % Number(names));
}

process.stdin.on('end', () => {
  ended = true;
  process.stdout.write(`${JSON.stringify(figures)}\n`, () => process.exit(0));
});
process.stdin.resume();
for (let n = 0; n < Number(names); n++) void worker();
