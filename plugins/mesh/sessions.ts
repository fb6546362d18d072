import { DeviceIdSchema, NodeIdSchema, Type } from '../../kernel/index.ts';
import type { NodeId, PeerId, Static } from '../../kernel/index.ts';

/** What mesh keeps of one connection: its slot, and what was said about slots on it. */
export const MeshSession = Type.Object({
  connectionId: Type.Integer(),
  nodeId: NodeIdSchema,
  deviceId: DeviceIdSchema,
  holdsSlot: Type.Boolean(),
  /** 0 when it never was. */
  slotRefusedAtMs: Type.Integer(),
  /** Two peers made room for it, and do not give it up for the next. */
  cameByTransfer: Type.Boolean(),
  /** We asked for a slot and may be sent to somebody else. */
  redirectDue: Type.Boolean(),
  /** The node and its preferred peers, as it said last. */
  nplus10: Type.Array(NodeIdSchema),
});
export type MeshSession = Static<typeof MeshSession>;

/** The connections on which slots were spoken of, by their stable id; the kernel caps their number. */
export class MeshSessions {
  readonly #sessions = new Map<number, MeshSession>();

  values(): Iterable<MeshSession> {
    return this.#sessions.values();
  }

  get(connectionId: number): MeshSession | undefined {
    return this.#sessions.get(connectionId);
  }

  ofNode(nodeId: NodeId): readonly MeshSession[] {
    return [...this.#sessions.values()].filter((session) => session.nodeId === nodeId);
  }

  restore(session: MeshSession): void {
    this.#sessions.set(session.connectionId, { ...session });
  }

  /** `holdsSlot`: mesh was off for a while, and what had a slot has it still. */
  of(connectionId: number, { nodeId, deviceId }: PeerId, holdsSlot: boolean): MeshSession {
    const known = this.#sessions.get(connectionId);
    if (known !== undefined) return known;
    const session = {
      connectionId,
      nodeId,
      deviceId,
      holdsSlot,
      slotRefusedAtMs: 0,
      cameByTransfer: false,
      redirectDue: false,
      nplus10: [],
    };
    this.#sessions.set(connectionId, session);
    return session;
  }

  remove(connectionId: number): MeshSession | undefined {
    const session = this.#sessions.get(connectionId);
    this.#sessions.delete(connectionId);
    return session;
  }
}

export function peerOf({ nodeId, deviceId }: MeshSession): PeerId {
  return { nodeId, deviceId };
}
