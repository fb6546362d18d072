import type { NodeId } from '../../kernel/index.ts';
import { MemoryConnection } from '../../kernel/transport/memory/connection.ts';
import { MemoryStream } from '../../kernel/transport/memory/stream.ts';

/** A frame as it left a node, the second half of an exchange included. */
export interface TappedFrame {
  readonly from: NodeId;
  readonly to: NodeId;
  /** Its code, or 0xF0 for an extension frame. */
  readonly code: number;
  /** The payload. */
  readonly text: string;
  /** The bytes of the whole stream, in hex and as they are; keys might hide in either. */
  readonly bytes: Buffer;
}

const { write } = MemoryStream.prototype;

/**
 * Hears every byte that any node of this process hands to the memory transport, until the undo that it
 * gives is called.
 */
export function tapWire(hear: (frame: TappedFrame) => void): () => void {
  const open = new WeakMap<MemoryStream, Buffer[]>();
  MemoryStream.prototype.write = function (this: MemoryStream, bytes: Uint8Array, fin: boolean): void {
    const chunks = open.get(this) ?? [];
    open.set(this, chunks);
    chunks.push(Buffer.from(bytes));
    const { connection } = this;
    if (fin && connection instanceof MemoryConnection) {
      const all = Buffer.concat(chunks);
      const length = all.length < 5 ? 0 : all.readUInt32BE(1);
      const text = all.toString('utf8', 5, 5 + length);
      hear({ from: connection.far.peer.nodeId, to: connection.peer.nodeId, code: all[0] ?? -1, text, bytes: all });
    }
    write.call(this, bytes, fin);
  };
  return () => {
    MemoryStream.prototype.write = write;
  };
}
