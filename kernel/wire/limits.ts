/** Every bound of the wire layer that is not stated by a message itself; listed in `docs/limits.md`. */

/** SYNC-02. Also the cap of any message's `maxBytes`. */
export const FRAME_MAX_BYTES = 16 * 1024 * 1024;

/** Nesting of a payload; the deepest of our own schemas has 8 levels. */
export const JSON_DEPTH_MAX = 64;

/** From the opening of a stream to its fifth byte; from then on the message's own deadline runs. */
export const HEADER_DEADLINE_MS = 10_000;

/** Frames of one connection that may be partly read at once; later ones are paused until one ends. */
export const HALF_READ_MAX = 128;

/**
 * Declared bytes of the partly read frames of one connection. Two frames of the largest size, so that
 * one slow bulk transfer does not stop another; later ones are paused.
 */
export const HALF_READ_MAX_BYTES = 2 * FRAME_MAX_BYTES;

/** Bytes of partly read frames and of raw bodies under way, all connections together; beyond it frames are refused `over-capacity`. */
export const BUFFERED_MAX_BYTES = 256 * 1024 * 1024;

/** Frames that wait for a swap, per plugin; at either cap the connections they come from are paused. */
export const HOLD_MAX_FRAMES = 1_024;
export const HOLD_MAX_BYTES = 1024 * 1024;

/** Whole frames of one connection that wait for their message's in-flight limit; at the cap it is paused. */
export const WAIT_MAX_BYTES = 1024 * 1024;

/** Bytes a peer may send after the end of its frame before the stream is aborted. They are ignored. */
export const TRAILING_MAX_BYTES = 64 * 1024;

/** An answer is handed over when less than this is still queued; agrees with `Stream.writable`. */
export const BACKPRESSURE_BYTES = 256 * 1024;

/**
 * Misbehaviour: each malformed frame costs 1 point, forged content 10; a point is forgiven each
 * second. Above the bound the connection is closed with `misbehaviour`. Mere rate costs nothing.
 */
export const MISBEHAVIOUR_MAX_POINTS = 100;
export const MALFORMED_POINTS = 1;
export const FORGED_POINTS = 10;
export const FORGIVEN_POINTS_PER_SECOND = 1;

/**
 * Points of all identities of one address block together, for each share that it has: above it strangers from there are
 * not served until enough is forgiven. Four identities may be bad before their neighbours pay for it.
 */
export const BLOCK_MISBEHAVIOUR_MAX_POINTS = 400;
/** Address blocks whose points are remembered; the one that misbehaved longest ago is forgotten first. */
export const REMEMBERED_BLOCKS_MAX = 4_096;

/** Peers without a connection whose budgets and points are remembered; the longest gone is forgotten first. */
export const REMEMBERED_PEERS_MAX = 4_096;

/** Third-party message names known in one process. */
export const EXTENSION_NAMES_MAX = 1_024;

/** Room for `{"name":"...","body":}` around an extension body. */
export const EXTENSION_ENVELOPE_BYTES = 256;

/** Payload of a Refused frame. */
export const REFUSED_MAX_BYTES = 1_024;

/** Payload of a frame that may travel on a shared stream. */
export const SHARED_FRAME_MAX_BYTES = 4 * 1024;

/** Requests on one shared stream without an answer: the sender's further ones wait, and a receiver refuses them `over-capacity`. */
export const SHARED_UNANSWERED_MAX = 256;

/** As many of them may be of one message. */
export const SHARED_UNANSWERED_SHARE_MAX = 128;

/** Messages that wait for their turn on one shared stream, and as many of them of one kind; a further one fails with transport/too-many-streams. */
export const SHARED_WAITING_MAX = 1_024;
export const SHARED_WAITING_SHARE_MAX = 512;

/** Shared streams that a peer may have open; one more is reset. */
export const SHARED_INCOMING_MAX = 4;

/** Messages of one shared stream that are taken in one turn of the event loop. */
export const SHARED_TURN_MAX = 512;

/** Raw bytes written to a stream at once; the next are taken from the source when the stream is writable again. */
export const RAW_WRITE_BYTES = 256 * 1024;

/** Raw bytes of one response that wait for their reader; at the cap the stream is not read on. */
export const RAW_UNREAD_MAX_BYTES = 512 * 1024;

/** What has to move within the idle limit of a raw body, unless less is left. */
export const RAW_PROGRESS_BYTES = 16 * 1024;

/** Application error codes of stream resets (RFC 9000 §19.4). */
export const RESET_CODES = {
  cancelled: 0x10,
  deadline: 0x11,
  refused: 0x12,
  malformed: 0x13,
  interrupted: 0x14,
  failed: 0x15,
} as const;
