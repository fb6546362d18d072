/**
 * The 50 live codes of protocol `itsgoin/3` (requirements WIRE-01..WIRE-E0). Numbers are never reused:
 * 0x96, an early BlobHeaderDiff, stays reserved.
 *
 * `answeredBy` is the code of the response frame on the same bi-stream; codes that only ever answer
 * have none. 0xC4 is both: the answer to a probe, and, acknowledged by itself, what the probing node
 * brings to the probed one over a connection of its own.
 */
export interface CatalogueEntry {
  readonly code: number;
  readonly name: string;
  readonly stream: 'uni' | 'bi';
  readonly answeredBy: number | undefined;
  readonly about: string;
}

type Row = readonly [code: number, name: string, stream: 'uni' | 'bi', answeredBy: number | undefined, about: string];

const ROWS: readonly Row[] = [
  [0x01, 'NodeListUpdate', 'uni', undefined, 'Incremental N1/N2 diff'],
  [0x02, 'InitialExchange', 'bi', 0x02, 'Full state exchange on connect'],
  [0x03, 'AddressRequest', 'bi', 0x04, 'Resolve a NodeId to an address via its reporter'],
  [0x04, 'AddressResponse', 'bi', undefined, 'Answer to 0x03'],
  [0x05, 'RefuseRedirect', 'uni', undefined, 'Refuse a mesh slot and suggest another peer'],
  [0x40, 'PullSyncRequest', 'bi', 0x41, 'Request posts, filtered by follows'],
  [0x41, 'PullSyncResponse', 'bi', undefined, 'Filtered posts with delete records'],
  [0x42, 'PostNotification', 'uni', undefined, 'Light notice of a new post to social contacts'],
  [0x43, 'PostPush', 'uni', undefined, 'Direct encrypted delivery to recipients'],
  [0x44, 'AudienceRequest', 'bi', 0x45, 'Join an audience, or list it to own devices (X-27)'],
  [0x45, 'AudienceResponse', 'bi', undefined, 'Answer to 0x44'],
  [0x50, 'ProfileUpdate', 'uni', undefined, 'Push profile changes'],
  [0x51, 'DeleteRecord', 'uni', undefined, 'Signed deletion of a post'],
  [0x52, 'VisibilityUpdate', 'uni', undefined, 'Re-wrapped visibility after a revocation'],
  [0x60, 'WormQuery', 'bi', 0x61, 'Burst or nova search for nodes, posts and blobs beyond N3'],
  [0x61, 'WormResponse', 'bi', undefined, 'Node, post holder and blob holder found'],
  [0x70, 'SocialAddressUpdate', 'uni', undefined, 'A contact changed address or came back'],
  [0x71, 'SocialDisconnectNotice', 'uni', undefined, 'A contact disconnected'],
  [0x72, 'SocialCheckin', 'bi', 0x72, 'Keep-alive with address and N+10 updates'],
  [0x90, 'BlobRequest', 'bi', 0x91, 'Fetch a blob by CID'],
  [0x91, 'BlobResponse', 'bi', undefined, 'Data, CDN manifest and file header'],
  [0x92, 'ManifestRefreshRequest', 'bi', 0x93, 'Ask whether a manifest is fresh'],
  [0x93, 'ManifestRefreshResponse', 'bi', undefined, 'The updated manifest'],
  [0x94, 'ManifestPush', 'uni', undefined, 'Push manifests downstream'],
  [0x95, 'BlobDeleteNotice', 'uni', undefined, 'Tree healing on eviction or deletion'],
  [0xa0, 'GroupKeyDistribute', 'uni', undefined, 'Give a circle group key to a member'],
  [0xa1, 'GroupKeyRequest', 'bi', 0xa2, "Ask for a circle's group key"],
  [0xa2, 'GroupKeyResponse', 'bi', undefined, 'Answer to 0xA1'],
  [0xb0, 'RelayIntroduce', 'bi', 0xb1, 'Ask for an introduction to a target'],
  [0xb1, 'RelayIntroduceResult', 'bi', undefined, "The target's addresses and whether a relay is available"],
  [0xb2, 'SessionRelay', 'bi', 0xb2, 'Splice bi-streams, own devices by default'],
  [0xb3, 'MeshPrefer', 'bi', 0xb3, 'Preferred-peer negotiation'],
  [0xb4, 'CircleProfileUpdate', 'uni', undefined, 'Encrypted profile variant of a circle'],
  [0xc0, 'AnchorRegister', 'uni', undefined, 'Register with an anchor, at bootstrap or recovery'],
  [0xc1, 'AnchorReferralRequest', 'bi', 0xc2, 'Ask an anchor for referrals'],
  [0xc2, 'AnchorReferralResponse', 'bi', undefined, 'Referral list'],
  [0xc3, 'AnchorProbeRequest', 'bi', 0xc4, 'Cold reachability test through a witness'],
  [0xc4, 'AnchorProbeResult', 'bi', 0xc4, 'Outcome of the test, direct or by way of the anchor'],
  [0xc5, 'PortScanHeartbeat', 'uni', undefined, 'Feedback every 2 s through the relay while scanning'],
  [0xc6, 'NatFilterProbe', 'bi', 0xc7, 'Ask an anchor to test our NAT filtering'],
  [0xc7, 'NatFilterProbeResult', 'bi', undefined, 'Outcome of 0xC6'],
  [0xd0, 'BlobHeaderDiff', 'uni', undefined, 'Incremental engagement: reactions, comments, policy, splits'],
  [0xd1, 'BlobHeaderRequest', 'bi', 0xd2, "Ask for a post's full engagement header"],
  [0xd2, 'BlobHeaderResponse', 'bi', undefined, 'The full engagement header'],
  [0xd3, 'PostDownstreamRegister', 'uni', undefined, 'Register as downstream of a post'],
  [0xd4, 'PostFetchRequest', 'bi', 0xd5, 'One post by id from a known holder'],
  [0xd5, 'PostFetchResponse', 'bi', undefined, 'The post, or not found'],
  [0xd6, 'TcpPunchRequest', 'bi', 0xd7, 'Ask a holder to punch TCP towards a browser'],
  [0xd7, 'TcpPunchResult', 'bi', undefined, 'Outcome of the punch and the HTTP address'],
  [0xe0, 'MeshKeepalive', 'uni', undefined, 'Heartbeat every 30 s'],
];

/** All live codes in ascending order. */
export const CATALOGUE: readonly CatalogueEntry[] = ROWS.map(([code, name, stream, answeredBy, about]) =>
  Object.freeze({ code, name, stream, answeredBy, about }),
);

/** Codes that once meant something and must never mean anything else. */
export const RESERVED_CODES: readonly number[] = [0x96];

/**
 * Ours, on top of the 50 codes: the response frame of a bi-request that is not answered,
 * `{ code, retry_after_ms? }`. Peers get a code, never a text.
 */
export const REFUSED_CODE = 0xf1;

const BY_CODE: readonly (CatalogueEntry | undefined)[] = Array.from({ length: 256 }, (_, code) =>
  CATALOGUE.find((entry) => entry.code === code),
);

export function catalogueEntry(code: number): CatalogueEntry | undefined {
  return BY_CODE[code];
}

/** `0x42`, as the requirements and the trace write codes. */
export function hexCode(code: number): string {
  return `0x${code.toString(16).toUpperCase().padStart(2, '0')}`;
}
