import type { NodeId } from '../../kernel/index.ts';
import { MemoryConnection } from '../../kernel/transport/memory/connection.ts';
import { MemoryStream } from '../../kernel/transport/memory/stream.ts';
import {
  ANSWER_STREAM_CODE,
  CAPSULE_KINDS,
  CapsuleReader,
  SHARED_STREAM_CODE,
} from '../../kernel/wire/shared/capsule.ts';

/** A frame as it left a node, the second half of an exchange included. */
export interface TappedFrame {
  readonly from: NodeId;
  readonly to: NodeId;
  /** Its code, or 0xF0 for an extension frame. */
  readonly code: number;
  /** The payload. */
  readonly text: string;
  /** All bytes of the stream, or of its capsule on a shared one, in hex and as they are; keys might hide in either. */
  readonly bytes: Buffer;
}

const { write } = MemoryStream.prototype;

/** What one end has written on one stream. */
interface Written {
  readonly chunks: Buffer[];
  /** Of a shared stream. */
  readonly capsules: CapsuleReader | undefined;
}

/**
 * Hears every byte that any node of this process hands to the memory transport, until the undo that it
 * gives is called.
 */
export function tapWire(hear: (frame: TappedFrame) => void): () => void {
  const open = new WeakMap<MemoryStream, Written>();
  /** Ids of shared streams, by the end that did not open them. */
  const shared = new WeakMap<MemoryConnection, Set<number>>();
  MemoryStream.prototype.write = function (this: MemoryStream, bytes: Uint8Array, fin: boolean): void {
    const { connection } = this;
    if (connection instanceof MemoryConnection) tap(this, connection, bytes, fin);
    write.call(this, bytes, fin);
  };

  function tap(stream: MemoryStream, connection: MemoryConnection, bytes: Uint8Array, fin: boolean): void {
    const tell = (frame: Buffer, whole: Buffer): void => {
      const length = frame.length < 5 ? 0 : frame.readUInt32BE(1);
      const [from, to] = [connection.far.peer.nodeId, connection.peer.nodeId];
      hear({ from, to, code: frame[0] ?? -1, text: frame.toString('utf8', 5, 5 + length), bytes: whole });
    };
    const { chunks, capsules } = open.get(stream) ?? begin(stream, connection, bytes);
    if (capsules === undefined) {
      chunks.push(Buffer.from(bytes));
      const all = fin ? Buffer.concat(chunks) : undefined;
      if (all !== undefined) tell(all[0] === ANSWER_STREAM_CODE ? all.subarray(5) : all, all);
      return;
    }
    const isFirst = chunks.length === 0 && connection.direction === openerOf(stream.id);
    if (chunks.length === 0) chunks.push(Buffer.alloc(0));
    capsules.feed(isFirst ? bytes.subarray(1) : bytes);
    while (capsules.next()) {
      const frame = Buffer.from(capsules.frame);
      if (capsules.kind !== CAPSULE_KINDS.reset && capsules.kind !== CAPSULE_KINDS.elsewhere) tell(frame, frame);
    }
  }

  function begin(stream: MemoryStream, connection: MemoryConnection, bytes: Uint8Array): Written {
    const opens =
      stream.kind === 'bi' && bytes[0] === SHARED_STREAM_CODE && connection.direction === openerOf(stream.id);
    if (opens) shared.set(connection.far, (shared.get(connection.far) ?? new Set()).add(stream.id));
    const isShared = opens || shared.get(connection)?.has(stream.id);
    const written = { chunks: [], capsules: isShared ? new CapsuleReader() : undefined };
    open.set(stream, written);
    return written;
  }

  return () => {
    MemoryStream.prototype.write = write;
  };
}

/** RFC 9000 §2.1: the lowest bit of its id says who opened a stream. */
function openerOf(id: number): 'inbound' | 'outbound' {
  return (id & 0x1) === 1 ? 'inbound' : 'outbound';
}
