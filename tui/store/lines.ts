import { safeLine } from '../../kernel/sdk/kit/safe-text.ts';
import { numberOr, record } from './post.ts';

export interface PluginRow {
  readonly name: string;
  readonly version: string;
  readonly about: string;
  readonly state: string;
  readonly generation: number;
  readonly reason: string;
}

const LEVELS = ['debug', 'info', 'warn', 'error'] as const;

export interface LogLine {
  readonly atMs: number;
  readonly level: (typeof LEVELS)[number];
  readonly text: string;
}

export interface FrameLine {
  readonly atMs: number;
  readonly incoming: boolean;
  readonly peer: string;
  readonly name: string;
  readonly bytes: number;
  readonly outcome: string;
}

export interface Traffic {
  readonly framesIn: number;
  readonly framesOut: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
}

export const NO_TRAFFIC: Traffic = { framesIn: 0, framesOut: 0, bytesIn: 0, bytesOut: 0 };

export function readLogLine(entry: Record<string, unknown>, nowMs: number): LogLine {
  const fields = Object.entries(record(entry.fields)).map(readField);
  return {
    atMs: numberOr(entry.atMs, nowMs),
    level: LEVELS.find((level) => level === entry.level) ?? 'info',
    text: [safeLine(entry.area, 40), safeLine(entry.event, 60), ...fields].filter(Boolean).join('  '),
  };
}

export function readFrame(frame: Record<string, unknown>, nowMs: number): FrameLine {
  return {
    atMs: numberOr(frame.at_ms, nowMs),
    incoming: frame.direction === 'in',
    peer: safeLine(frame.peer, 64),
    name: safeLine(frame.name, 40),
    bytes: numberOr(frame.bytes, 0),
    outcome: safeLine(frame.outcome, 40),
  };
}

export function addFrame(traffic: Traffic, { incoming, bytes }: FrameLine): Traffic {
  return incoming
    ? { ...traffic, framesIn: traffic.framesIn + 1, bytesIn: traffic.bytesIn + bytes }
    : { ...traffic, framesOut: traffic.framesOut + 1, bytesOut: traffic.bytesOut + bytes };
}

function readField([key, value]: [string, unknown]): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return `${safeLine(key, 40)}=${safeLine(text, 120)}`;
}

export function readPlugin(raw: Record<string, unknown>): PluginRow {
  return {
    name: safeLine(raw.name, 40),
    version: safeLine(raw.version, 20),
    about: safeLine(raw.about),
    state: safeLine(raw.state, 20),
    generation: numberOr(raw.generation, 0),
    reason: safeLine(raw.reason),
  };
}
