import type { AnyMessage } from '../../sdk/message.ts';
import type { Connection } from '../../transport/transport.ts';
import type { WireContext } from '../context.ts';
import type { Deadline } from '../deadlines.ts';

/** The connection whose shared streams they are, as they see it. */
export interface SharedHost {
  readonly context: WireContext;
  readonly connection: Connection;
  /** What the peer offers, as far as it has told. */
  readonly features: ReadonlySet<string>;
  /** New streams are left unread, and shared ones not read on; `readOn` is called at the end of it. */
  readonly blocked: boolean;
  /** Raw bytes may travel behind the response of this message. */
  carriesRaw(message: AnyMessage): boolean;
  expireAfter(deadline: Deadline, ms: number): void;
  /** What one of the messages on a stream threw: logged, because the others go on. */
  failed(error: unknown): void;
  /** Counts misbehaviour, which may close the connection. */
  blame(points: number): void;
  /** An answer comes on this stream: it is read although others are left unread. */
  readUnread(streamId: number): void;
}
