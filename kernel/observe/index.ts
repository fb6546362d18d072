export { type CounterRegistry, createCounters } from './counters.ts';
export { type GaugeReading, type Gauges, startGauges } from './gauges.ts';
export { createLog, LOG_LEVELS, type LogBook, type LogEntry, type LogLevel, type LogOptions } from './log-book.ts';
