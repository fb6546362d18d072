/** The wire layer: frames in and out of connections, and the network over them. */
export { CATALOGUE, type CatalogueEntry, RESERVED_CODES, REFUSED_CODE, catalogueEntry, hexCode } from './catalogue.ts';
export { createDispatcher } from './dispatcher.ts';
export { wireErrors } from './errors.ts';
export { createNetwork } from './network.ts';
export type { MessageHandler, MessageRouter } from './message-router.ts';
export { SHARED_STREAMS } from './shared/capsule.ts';
export { SocketLender, type SocketLenderDeps } from './socket-lender.ts';
export type { Trace, TraceListener, TraceRecord } from './trace.ts';
export type { Attachment, Dispatcher, DispatcherDeps, NetworkDeps, NetworkHost } from './wire.ts';
