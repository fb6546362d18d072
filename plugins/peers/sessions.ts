import { DeviceIdSchema, NodeIdSchema, Type, WaitList } from '../../kernel/index.ts';
import type { ConnectionInfo, NodeId, PeerId, Static } from '../../kernel/index.ts';
import { peersErrors } from './errors.ts';

/** What peers knows of one live connection beyond what the kernel knows. */
export const PeerSession = Type.Object({
  connectionId: Type.Integer(),
  nodeId: NodeIdSchema,
  deviceId: DeviceIdSchema,
  direction: Type.Union([Type.Literal('inbound'), Type.Literal('outbound')]),
  /** `waiting`: the peer is to begin the handshake. `asking`: we are. `ready`: it is a peer. */
  state: Type.Union([Type.Literal('waiting'), Type.Literal('asking'), Type.Literal('ready')]),
  openedAtMs: Type.Integer(),
  /** When it became a peer. */
  readyAtMs: Type.Integer(),
  protocol: Type.Integer(),
  features: Type.Array(Type.String()),
  featuresRevision: Type.Integer(),
  /** The revision of our own features this peer was last told. */
  toldRevision: Type.Integer(),
  /** How the peer sees us: an outside view of our own address. */
  observedAddr: Type.String(),
  keepAliveDueMs: Type.Integer(),
  /** Names of the extensions whose part this peer has been told. */
  partsSent: Type.Array(Type.String()),
});
export type PeerSession = Static<typeof PeerSession>;

/** Who may wait for one connection to become a peer. */
const WAITING_MAX = 64;

/** The live connections by their stable id (MESH-10), and who waits for one to become a peer. */
export class PeerSessions {
  readonly #sessions = new Map<number, PeerSession>();
  readonly #waiting = new Map<number, WaitList<PeerSession>>();

  get size(): number {
    return this.#sessions.size;
  }

  all(): readonly PeerSession[] {
    return [...this.#sessions.values()];
  }

  /** The same without a copy, for who changes nothing meanwhile. */
  values(): Iterable<PeerSession> {
    return this.#sessions.values();
  }

  get(connectionId: number): PeerSession | undefined {
    return this.#sessions.get(connectionId);
  }

  add(session: PeerSession): void {
    this.#sessions.set(session.connectionId, session);
  }

  /** The session of a live connection; made here when its event is still on the way. */
  of(connection: ConnectionInfo, nowMs: number): PeerSession {
    const known = this.#sessions.get(connection.id);
    if (known !== undefined) return known;
    const session = newSession(connection, nowMs);
    this.add(session);
    return session;
  }

  ready(): readonly PeerSession[] {
    const ready: PeerSession[] = [];
    for (const session of this.#sessions.values()) if (session.state === 'ready') ready.push(session);
    return ready;
  }

  readyOf(nodeId: NodeId): readonly PeerSession[] {
    const ready: PeerSession[] = [];
    for (const session of this.#sessions.values()) {
      if (session.nodeId === nodeId && session.state === 'ready') ready.push(session);
    }
    return ready;
  }

  /** Tells those who wait in {@link whenReady}. */
  settle(session: PeerSession): void {
    this.#waiting.get(session.connectionId)?.all(session);
    this.#waiting.delete(session.connectionId);
  }

  /** Takes the session out; those who wait for it get the error. */
  remove(connectionId: number, errorOf: () => unknown): PeerSession | undefined {
    const session = this.#sessions.get(connectionId);
    this.#sessions.delete(connectionId);
    const waiting = this.#waiting.get(connectionId);
    this.#waiting.delete(connectionId);
    if (waiting !== undefined && waiting.size > 0) waiting.refuseAll(errorOf());
    return session;
  }

  /**
   * Resolves when the connection has finished its handshake; rejects when it ends first or `signal` aborts.
   * @throws mesh/busy when too many wait for it
   */
  whenReady(connectionId: number, signal: AbortSignal): Promise<PeerSession> {
    const session = this.#sessions.get(connectionId);
    if (session?.state === 'ready') return Promise.resolve(session);
    const waiting =
      this.#waiting.get(connectionId) ?? new WaitList({ max: WAITING_MAX, full: () => peersErrors.make('busy') });
    this.#waiting.set(connectionId, waiting);
    return waiting.wait(signal);
  }
}

export function peerOf({ nodeId, deviceId }: PeerSession): PeerId {
  return { nodeId, deviceId };
}

function newSession({ id, peer, direction }: ConnectionInfo, openedAtMs: number): PeerSession {
  return {
    connectionId: id,
    nodeId: peer.nodeId,
    deviceId: peer.deviceId,
    direction,
    state: 'waiting',
    openedAtMs,
    readyAtMs: 0,
    protocol: 0,
    features: [],
    featuresRevision: 0,
    toldRevision: 0,
    observedAddr: '',
    keepAliveDueMs: 0,
    partsSent: [],
  };
}
