import { renameSync, statSync } from 'node:fs';
import { pino } from 'pino';

/** A log is at most this file and one older one beside it. */
const FILE_MAX_BYTES = 8 * 1024 * 1024;

export interface LogFile {
  write(line: string): void;
  /** Writes out what is buffered and closes. */
  close(): void;
}

/** Appends to `path`; at 8 MiB the file becomes `<path>.1`, replacing the one before. Mode 0600. */
export function openLogFile(path: string, maxBytes = FILE_MAX_BYTES): LogFile {
  const destination = pino.destination({ dest: path, sync: true, mkdir: true, mode: 0o600 });
  // Logging must never stop the node: what a full disk refuses is lost, here and only here.
  destination.on('error', () => {});
  let bytes = sizeOf(path);
  return {
    write(line) {
      if (bytes > maxBytes) {
        try {
          renameSync(path, `${path}.1`);
          destination.reopen();
        } catch {
          // Not renamed: goes on in the same file and tries again after as many bytes.
        }
        bytes = 0;
      }
      bytes += Buffer.byteLength(line);
      try {
        destination.write(line);
      } catch {
        // As above: the disk is full or gone.
      }
    },
    close() {
      try {
        destination.flushSync();
        destination.end();
      } catch {
        // As above.
      }
    },
  };
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
