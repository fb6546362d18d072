import { type AddressBlock, BlockShares } from '../sdk/kit/block-shares.ts';
import type { NodeId } from '../sdk/identifiers.ts';
import { addressBlocks, type BlocksOf } from './address-blocks.ts';
import type { EndpointOptions, SocketAddress, TransportLimits } from './transport.ts';

/** Places kept back are no more than this part of all, where there are few. */
const KEPT_PART = 1 / 4;

/**
 * Who of those that dial us gets a connection, so that one host cannot take them all: strangers have a share
 * by address block, under way and open apart, and all of them together leave places for our own dials and for
 * whom this node knows.
 */
export class ConnectionShares<C extends object> {
  readonly #limits: TransportLimits;
  readonly #blocksOf: BlocksOf;
  readonly #isKept: (nodeId: NodeId) => boolean;
  readonly #strangers = new Map<C, readonly AddressBlock[]>();
  readonly #underWay = new Map<C, readonly AddressBlock[]>();
  readonly #open = new BlockShares();
  readonly #pending = new BlockShares();

  constructor(limits: TransportLimits, { blocksOf = addressBlocks(), isKept = () => false }: EndpointOptions) {
    this.#limits = limits;
    this.#blocksOf = blocksOf;
    this.#isKept = isKept;
  }

  /** Handshakes of others under way. */
  get pending(): number {
    return this.#underWay.size;
  }

  /** The part of its share of handshakes under way that this address has used up; 1 is all of it. */
  pendingShareOf({ host }: SocketAddress): number {
    return this.#pending.usedOf(this.#blocksOf(host), this.#limits.connectionsPerBlock);
  }

  /** The part of its share of open connections that this address has used up; at 1 no further stranger gets in. */
  openShareOf({ host }: SocketAddress): number {
    return this.#open.usedOf(this.#blocksOf(host), this.#limits.connectionsPerBlock);
  }

  begin(connection: C, { host }: SocketAddress): void {
    const blocks = this.#blocksOf(host);
    this.#underWay.set(connection, blocks);
    this.#pending.add(blocks);
  }

  /** Whether somebody who has proved to be `nodeId` may have one more connection, with `open` there are. */
  hasRoom(nodeId: NodeId, { host }: SocketAddress, open: number): boolean {
    const { maxConnections, connectionsKept, connectionsPerBlock } = this.#limits;
    if (open >= maxConnections) return false;
    if (this.#isKept(nodeId)) return true;
    const kept = Math.min(connectionsKept, Math.floor(maxConnections * KEPT_PART));
    if (this.#strangers.size >= maxConnections - kept) return false;
    return this.#open.hasRoom(this.#blocksOf(host), connectionsPerBlock);
  }

  /** It is open now. What somebody we know has dialled takes nothing of its address's share. */
  enter(connection: C, nodeId: NodeId, { host }: SocketAddress): void {
    this.#end(this.#underWay, this.#pending, connection);
    if (this.#isKept(nodeId)) return;
    const blocks = this.#blocksOf(host);
    this.#strangers.set(connection, blocks);
    this.#open.add(blocks);
  }

  ended(connection: C): void {
    this.#end(this.#underWay, this.#pending, connection);
    this.#end(this.#strangers, this.#open, connection);
  }

  #end(of: Map<C, readonly AddressBlock[]>, shares: BlockShares, connection: C): void {
    const blocks = of.get(connection);
    if (blocks !== undefined && of.delete(connection)) shares.remove(blocks);
  }
}
