/** Something that carries bytes between two ends in this process, as the benchmark drives it. */
export interface Subject {
  readonly name: string;
  /** Sends this many bytes on one stream; resolves when all have been read. */
  bulk(bytes: number): Promise<void>;
  /** Requests answered per second, one after another. */
  serial(request: Uint8Array, ms: number): Promise<number>;
  /** The same with `width` under way at all times. */
  parallel(request: Uint8Array, width: number, ms: number): Promise<number>;
  close(): Promise<void>;
}
