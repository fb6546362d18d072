export { quic } from '@chainsafe/libp2p-quic';
export { multiaddr } from '@multiformats/multiaddr';
export { default as HyperDHT } from 'hyperdht';
export { createLibp2p } from 'libp2p';
