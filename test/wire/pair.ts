import { Batch } from '../../kernel/transport/batch.ts';
import type { NodeId, DeviceId, PeerId } from '../../kernel/sdk/identifiers.ts';
import type {
  CloseInfo,
  Connection,
  ConnectionStats,
  IncomingStream,
  SocketAddress,
  Stream,
  StreamAbort,
  TransportStream,
} from '../../kernel/transport/transport.ts';

const BACKPRESSURE_BYTES = 256 * 1024;

/** A peer whose ids are made of one digit, for tests. */
export function testPeer(digit: string): PeerId {
  return { nodeId: digit.repeat(64) as NodeId, deviceId: digit.repeat(64) as DeviceId };
}

let ids = 0;

export interface PairOptions {
  /** Cuts everything written into chunks of this size. */
  readonly chunkBytes?: number;
  /** Overwrites each chunk after its delivery, so that whoever keeps one is found out. Default true. */
  readonly wipe?: boolean;
}

/** Two connections that are each other's far end: streams, flow control by pausing, aborts and close, without any I/O. */
export function connectionPair(a: PeerId, b: PeerId, options: PairOptions = {}): [FakeConnection, FakeConnection] {
  const left = new FakeConnection(b, 'outbound', options);
  const right = new FakeConnection(a, 'inbound', options);
  left.far = right;
  right.far = left;
  return [left, right];
}

export class FakeConnection implements Connection {
  readonly id = ++ids;
  readonly peer: PeerId;
  readonly direction: 'inbound' | 'outbound';
  readonly remote: SocketAddress = { host: '127.0.0.1', port: 1, family: 4 };
  readonly openedAtMs = 0;
  closed: CloseInfo | undefined;
  onStream: (stream: TransportStream & IncomingStream) => void = () => {};
  onClose: (info: CloseInfo) => void = () => {};
  far!: FakeConnection;
  readonly options: PairOptions;
  readonly live = new Set<FakeStream>();
  #streams = 0;

  constructor(peer: PeerId, direction: 'inbound' | 'outbound', options: PairOptions) {
    this.peer = peer;
    this.direction = direction;
    this.options = options;
  }

  openBi(): FakeStream {
    return this.#open('bi');
  }

  openUni(): FakeStream {
    return this.#open('uni');
  }

  close(code: number, reason: string): void {
    if (this.closed !== undefined) return;
    for (const stream of this.live) stream.writeBatch();
    this.#end({ byPeer: false, code, reason });
    this.far.#end({ byPeer: true, code, reason });
  }

  stats(): ConnectionStats {
    return { bytesIn: 0, bytesOut: 0, rttMs: undefined, datagramBytes: 1_350 };
  }

  #open(kind: 'uni' | 'bi'): FakeStream {
    if (this.closed !== undefined) throw new Error('connection is closed');
    const near = new FakeStream(this, kind, this.#streams++);
    const far = new FakeStream(this.far, kind, near.id);
    near.far = far;
    far.far = near;
    near.readEnded = kind === 'uni';
    far.writeEnded = kind === 'uni';
    this.live.add(near);
    this.far.live.add(far);
    return near;
  }

  #end(info: CloseInfo): void {
    if (this.closed !== undefined) return;
    this.closed = info;
    for (const stream of [...this.live]) stream.ended({ by: 'connection', code: info.code });
    this.onClose(info);
  }
}

export class FakeStream implements IncomingStream, TransportStream {
  readonly id: number;
  readonly kind: 'uni' | 'bi';
  readonly connection: FakeConnection;
  onData: (chunk: Uint8Array, fin: boolean) => void = () => {};
  onAbort: (reason: StreamAbort) => void = () => {};
  far!: FakeStream;
  readEnded = false;
  writeEnded = false;
  announced = false;
  paused = false;
  abortedWith: number | undefined;
  #inbox: { bytes: Uint8Array; fin: boolean }[] = [];
  #batch = new Batch();
  #scheduled = false;
  #ended = false;

  constructor(connection: FakeConnection, kind: 'uni' | 'bi', id: number) {
    this.connection = connection;
    this.kind = kind;
    this.id = id;
  }

  /** Bytes written that the far end has not taken yet. */
  get pendingBytes(): number {
    return this.#batch.bytes + this.far.#inbox.reduce((sum, { bytes }) => sum + bytes.length, 0);
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
    this.#schedule();
  }

  append(bytes: Uint8Array): void {
    if (this.#ended || this.writeEnded) throw new Error('stream has ended');
    if (this.#batch.bytes === 0) queueMicrotask(() => this.writeBatch());
    this.#batch.add(bytes);
  }

  writeBatch(): void {
    if (this.#batch.bytes > 0 && !this.#ended) this.write(this.#batch.take(), false);
  }

  write(bytes: Uint8Array, fin: boolean): void {
    if (this.#ended || this.writeEnded) throw new Error('stream has ended');
    this.writeBatch();
    if (fin) this.writeEnded = true;
    const size = this.connection.options.chunkBytes ?? Number.POSITIVE_INFINITY;
    let at = 0;
    do {
      const end = Math.min(bytes.length, at + size);
      this.far.#inbox.push({ bytes: bytes.subarray(at, end), fin: fin && end === bytes.length });
      at = end;
    } while (at < bytes.length);
    this.far.#schedule();
  }

  async writable(): Promise<void> {
    while (this.pendingBytes >= BACKPRESSURE_BYTES) {
      if (this.#ended) throw new Error('stream has ended');
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  abort(code: number): void {
    if (this.#ended) return;
    this.#finish();
    this.abortedWith = code;
    const far = this.far;
    queueMicrotask(() => far.ended({ by: 'peer', code }));
  }

  ended(reason: StreamAbort): void {
    if (this.#ended) return;
    this.#finish();
    this.onAbort(reason);
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      this.#deliver();
    });
  }

  #deliver(): void {
    if (this.#ended) return;
    if (!this.announced && this.#inbox.length > 0 && this.far.announced === false) {
      this.announced = true;
      this.connection.onStream(this);
    }
    while (!this.paused && !this.#ended) {
      const next = this.#inbox.shift();
      if (next === undefined) break;
      if (next.fin) this.readEnded = true;
      if (this.connection.options.wipe === false) {
        this.onData(next.bytes, next.fin);
      } else {
        const chunk = new Uint8Array(next.bytes);
        this.onData(chunk, next.fin);
        chunk.fill(0x21);
      }
    }
    if (this.readEnded && this.writeEnded) this.#finish();
  }

  #finish(): void {
    this.#ended = true;
    this.#inbox = [];
    this.#batch = new Batch();
    this.connection.live.delete(this);
  }
}

export { rawFrame } from '../../kernel/testing/frames.ts';

/** Collects what a peer answers on a bi-stream: code and JSON of its one frame. */
export function answerOf(stream: Stream): Promise<{ code: number; body: unknown } | { reset: number | undefined }> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    stream.onAbort = ({ code }) => resolve({ reset: code });
    stream.onData = (chunk, fin) => {
      chunks.push(Buffer.from(chunk));
      if (!fin) return;
      const frame = Buffer.concat(chunks);
      resolve({ code: frame[0] as number, body: JSON.parse(frame.toString('utf8', 5)) });
    };
  });
}
