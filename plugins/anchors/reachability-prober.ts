import { codeOf, linkSignals } from '../../kernel/index.ts';
import type { ConnectionInfo, IncomingCall, NodeId } from '../../kernel/index.ts';
import { probeEnded } from './api.ts';
import type { ProbeCause } from './api.ts';
import type { AnchorsContext } from './context.ts';
import { PROBE_INTERVAL_MS } from './anchor-status.ts';
import type { AnchorStatus } from './anchor-status.ts';
import { anchorsErrors } from './errors.ts';
import { probeRequest } from './messages.ts';
import type { ProbeResult } from './messages.ts';
import type { PeerDirectory, Witness } from './peer-directory.ts';

/** The witness's own word comes on another connection than the reporter's answer. */
const DIRECT_WAIT_MS = 2_000;
/** After a failure, and after a probe that found no witness. */
const REPEAT_MS = 60_000;
const PROBES_KEPT = 10;
/** Anybody can break off a connection to us, so it is a reason for a probe only so often. */
const INBOUND_PAUSE_MS = 5 * 60_000;
/** A connection that ended so soon, without a handshake, failed. */
const INBOUND_YOUNG_MS = 30_000;
const INBOUND_FAILURES = new Set(['exchange-failed', 'idle-timeout', 'peer-vanished']);

type Outcome = 'reachable' | 'unreachable' | 'inconclusive';

/** For `anchor explain`. */
export interface ProbeRecord {
  readonly at_ms: number;
  readonly cause: ProbeCause;
  readonly address: string;
  readonly witness: string;
  readonly via: string;
  readonly outcome: Outcome;
  readonly reason: string;
}

type InboundEnd = Pick<ConnectionInfo, 'direction' | 'connectedAtMs'> & { readonly reason: string };

interface Pending {
  readonly id: string;
  readonly witness: NodeId;
  readonly startedMs: number;
  /** The witness said it reached us, on a connection that it opened after we asked. */
  proved(): void;
}

/** Has strangers dial this node cold, to learn whether it may call itself an anchor (ANCH-07 to -10). */
export class ReachabilityProber {
  readonly #anchors: AnchorsContext;
  readonly #directory: PeerDirectory;
  readonly #declaration: AnchorStatus;
  readonly #records: ProbeRecord[] = [];
  #pending: Pending | undefined;
  #lastAddress: string | undefined;
  #lastAttemptMs = 0;
  #lastVia: NodeId | undefined;
  #inboundAtMs = Number.NEGATIVE_INFINITY;

  constructor(anchors: AnchorsContext, directory: PeerDirectory, declaration: AnchorStatus) {
    this.#anchors = anchors;
    this.#directory = directory;
    this.#declaration = declaration;
  }

  records(): readonly ProbeRecord[] {
    return this.#records;
  }

  /** Probes if it is time to: called every minute. */
  async tick(signal: AbortSignal): Promise<void> {
    const address = await this.#declaration.externalAddress();
    const cause = address === undefined ? undefined : await this.#dueFor(address);
    if (address === undefined) this.#lastAddress = undefined;
    else if (cause !== undefined) await this.probe(cause, address, signal);
  }

  /** A connection has ended: one that came from outside and failed is a reason to test at once (ANCH-09). */
  async closed({ direction, reason, connectedAtMs }: InboundEnd): Promise<void> {
    const { ctx } = this.#anchors;
    const now = ctx.clock.now();
    const failed = INBOUND_FAILURES.has(reason) || reason.startsWith('transport/');
    if (direction !== 'inbound' || !failed || now - connectedAtMs > INBOUND_YOUNG_MS) return;
    if (now - this.#inboundAtMs < INBOUND_PAUSE_MS || this.#pending !== undefined) return;
    const address = await this.#declaration.externalAddress();
    if (address === undefined) return;
    this.#inboundAtMs = now;
    await this.probe('inbound-failed', address, ctx.signal);
  }

  /** One test. What is inconclusive changes nothing. */
  async probe(cause: ProbeCause, address: string, signal: AbortSignal): Promise<Outcome> {
    const { ctx } = this.#anchors;
    if (this.#pending !== undefined) return 'inconclusive';
    this.#lastAddress = address;
    this.#lastAttemptMs = ctx.clock.now();
    const chosen = await this.#directory.witness(this.#lastVia);
    if (chosen === undefined) {
      ctx.counters.add('probes-without-witness');
      return 'inconclusive';
    }
    this.#lastVia = chosen.via;
    const { outcome, reason } = await this.#ask(chosen, address, signal);
    const record = {
      at_ms: ctx.clock.now(),
      cause,
      address,
      witness: chosen.witness,
      via: chosen.via,
      outcome,
      reason,
    };
    this.#records.push(record);
    if (this.#records.length > PROBES_KEPT) this.#records.shift();
    ctx.counters.add(`probes.${outcome}`);
    ctx.emit(probeEnded, { cause, address, witness: chosen.witness, outcome, reason });
    if (outcome !== 'inconclusive') this.#declaration.probed(outcome === 'reachable');
    return outcome;
  }

  /** A result by the witness itself. @throws anchors/unasked-result */
  receive(result: ProbeResult, call: IncomingCall): ProbeResult {
    const pending = this.#pending;
    if (pending === undefined || pending.id !== result.probe_id || pending.witness !== call.peer.nodeId) {
      this.#anchors.ctx.counters.add('probe-results-refused');
      throw anchorsErrors.make('unasked-result');
    }
    const connection = this.#anchors.network.connection(call.connectionId);
    // A connection from before, or one that we opened, proves nothing.
    const isCold = connection?.direction === 'inbound' && connection.connectedAtMs >= pending.startedMs;
    if (result.outcome === 'reachable' && isCold) pending.proved();
    return result;
  }

  async #ask(
    { witness, via }: Witness,
    address: string,
    signal: AbortSignal,
  ): Promise<{ outcome: Outcome; reason: string }> {
    const { ctx } = this.#anchors;
    const limit = linkSignals([signal, ctx.signal]);
    const probe_id = Buffer.from(ctx.random.bytes(16)).toString('hex');
    let isProved = false;
    const proof = new Promise<void>((resolve) => {
      this.#pending = {
        id: probe_id,
        witness,
        startedMs: ctx.clock.now(),
        proved: () => {
          isProved = true;
          resolve();
        },
      };
    });
    const body = { probe_id, candidate: ctx.self.nodeId, target_addr: address, witness, return_via: via };
    try {
      const answer = await ctx.send(via, probeRequest, body, { signal: limit.signal });
      if (!isProved && answer.outcome === 'reachable') {
        await Promise.race([proof, ctx.clock.sleep(DIRECT_WAIT_MS, limit.signal)]);
      }
      if (isProved) return { outcome: 'reachable', reason: 'the witness connected' };
      if (answer.outcome === 'unreachable') return { outcome: 'unreachable', reason: answer.reason };
      return { outcome: 'inconclusive', reason: answer.outcome === 'reachable' ? 'not proved' : answer.reason };
    } catch (error) {
      ctx.signal.throwIfAborted();
      if (isProved) return { outcome: 'reachable', reason: 'the witness connected' };
      return { outcome: 'inconclusive', reason: codeOf(error) };
    } finally {
      limit.dispose();
      this.#pending = undefined;
    }
  }

  async #dueFor(address: string): Promise<ProbeCause | undefined> {
    if (this.#lastAddress === undefined) return 'startup';
    if (this.#lastAddress !== address) return 'mapping-changed';
    const { failures, lastSuccessMs } = this.#declaration.state;
    const waitedMs = this.#anchors.ctx.clock.now() - this.#lastAttemptMs;
    if (failures > 0) return waitedMs >= REPEAT_MS * 2 ** Math.min(failures - 1, 5) ? 'repeat' : undefined;
    const sinceSuccessMs = this.#anchors.ctx.clock.now() - lastSuccessMs;
    if (lastSuccessMs > 0 && sinceSuccessMs < PROBE_INTERVAL_MS) return undefined;
    if (waitedMs < REPEAT_MS) return undefined;
    if (this.#declaration.isDeclared()) return 'periodic';
    const { probed_within_30_min: _, ...others } = await this.#declaration.checklist();
    return Object.values(others).every(Boolean) ? 'periodic' : undefined;
  }
}
