import { monitorEventLoopDelay } from 'node:perf_hooks';

/** Fine enough to see a 50 ms block, coarse enough (50 wake-ups a second) not to cost an idle node its CPU budget. */
const RESOLUTION_MS = 20;

export interface GaugeReading {
  /** How late the event loop was since the last reset, beyond the sampling interval. */
  readonly loopDelayMs: { readonly p50: number; readonly p99: number; readonly max: number };
  readonly rssBytes: number;
  readonly heapBytes: number;
  /** CPU time of the process, user and system. */
  readonly cpuMs: number;
}

export interface Gauges {
  read(): GaugeReading;
  /** Starts the event-loop delay anew. */
  reset(): void;
  stop(): void;
}

export function startGauges(): Gauges {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  const late = (nanoseconds: number): number =>
    Number.isFinite(nanoseconds) ? Math.max(0, Math.round(nanoseconds / 1e4) / 100 - RESOLUTION_MS) : 0;
  return {
    read() {
      const cpu = process.cpuUsage();
      const memory = process.memoryUsage();
      return {
        loopDelayMs: {
          p50: late(delay.percentile(50)),
          p99: late(delay.percentile(99)),
          max: delay.count === 0 ? 0 : late(delay.max),
        },
        rssBytes: memory.rss,
        heapBytes: memory.heapUsed,
        cpuMs: (cpu.user + cpu.system) / 1000,
      };
    },
    reset: () => delay.reset(),
    stop: () => void delay.disable(),
  };
}
