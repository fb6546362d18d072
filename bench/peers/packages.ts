import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

/** Beside our own packages, so that `npm ci` clears it away and no tool takes it for a source. */
const INSTALLED = resolve('node_modules/.bench-peers');
const SOURCES = resolve('bench/peers/packages');
const FILES = ['package.json', 'package-lock.json', 'index.js'];
/** npm writes it at the end of a complete installation. */
const DONE = join(INSTALLED, 'node_modules', '.package-lock.json');

/** Installs what we are measured beside, once. Not by `npm ci`: not every registry carries the binaries of every platform. */
export function installPackages(): void {
  if (existsSync(DONE) && FILES.every((file) => same(join(SOURCES, file), join(INSTALLED, file)))) return;
  console.error('installing hyperdht and libp2p …');
  mkdirSync(INSTALLED, { recursive: true });
  for (const file of FILES) copyFileSync(join(SOURCES, file), join(INSTALLED, file));
  const flags = ['install', '--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  const { status } = spawnSync('npm', flags, { cwd: INSTALLED, stdio: ['ignore', 'ignore', 'inherit'] });
  if (status !== 0) throw new Error(`npm could not install what ${SOURCES} names`);
}

/** The parts of their interfaces that are used here. */
export interface Packages {
  readonly HyperDHT: HyperDhtClass;
  createLibp2p(options: object): Promise<Libp2p>;
  multiaddr(text: string): unknown;
  quic(): unknown;
}

interface HyperDhtClass {
  new (options: object): HyperDht;
  keyPair(): { readonly publicKey: Uint8Array };
}

export interface HyperDht {
  fullyBootstrapped(): Promise<void>;
  address(): { readonly host: string; readonly port: number };
  createServer(onConnection: (socket: SecretStream) => void): HyperDhtServer;
  connect(publicKey: Uint8Array, options: object): SecretStream;
  destroy(options: { readonly force: boolean }): Promise<void>;
}

export interface HyperDhtServer {
  readonly publicKey: Uint8Array;
  listen(keyPair: object): Promise<void>;
}

/** An encrypted stream that keeps the borders of what is written: a write there is a `data` here. */
export interface SecretStream {
  on(event: 'data', listener: (message: Uint8Array) => void): void;
  on(event: 'error', listener: (error: Error) => void): void;
  once(event: 'open' | 'close' | 'drain', listener: () => void): void;
  /** False: wait for `drain`. */
  write(message: Uint8Array): boolean;
  destroy(): void;
}

export interface Libp2p {
  getMultiaddrs(): readonly { toString(): string }[];
  handle(protocol: string, handler: (stream: Libp2pStream) => void, options: object): Promise<void>;
  dial(address: unknown): Promise<Libp2pConnection>;
  stop(): Promise<void>;
}

export interface Libp2pConnection {
  newStream(protocol: string, options: object): Promise<Libp2pStream>;
  close(): Promise<void>;
}

export interface Libp2pStream extends AsyncIterable<{ subarray(): Uint8Array; readonly byteLength: number }> {
  /** False: wait for `onDrain`. */
  send(bytes: Uint8Array): boolean;
  onDrain(): Promise<void>;
  close(): Promise<void>;
}

export async function loadPackages(): Promise<Packages> {
  return (await import(pathToFileURL(join(INSTALLED, 'index.js')).href)) as Packages;
}

function same(a: string, b: string): boolean {
  return existsSync(b) && readFileSync(a, 'utf8') === readFileSync(b, 'utf8');
}
