import { BlockList, isIPv4 } from 'node:net';

/** Link options, each for both directions or, with `up_` or `down_` before it, for one. Of `natwire`. */
const LINK_OPTIONS = ['delay', 'jitter', 'loss', 'rate', 'queue', 'reorder', 'cut'] as const;
/** Options of `natd`, beside the kind of NAT. */
const NAT_OPTIONS = [
  'alloc',
  'range',
  'step',
  'block',
  'timeout',
  'unreplied',
  'refresh',
  'reply',
  'overload',
  'max_flows',
  'hairpin',
] as const;
const NAT_KIND = /^(?:(?:eim|adm|edm)\/(?:open|addr|port)|linux|linux-random)$/;
const OWN_OPTIONS = { pub: [], home: ['nat', 'hosts', 'lan', 'via'], cgn: ['nat', 'hosts', 'lan'] } as const;
const COUNT_MAX = { pub: 90, home: 180, cgn: 20 } as const;
const NAME = /^[a-z][a-z0-9]{0,8}$/;
const HOSTS_MAX = 40;
export const INTERNET = 'inet';

export class LabError extends Error {}

/** Something of the lab with a network namespace of its own. */
export interface LabNode {
  readonly name: string;
  readonly kind: 'pub' | 'home' | 'cgn' | 'host';
  readonly namespace: string;
  /** The node it hangs behind, `inet` or a router, and that one's address towards it. */
  readonly behind: string;
  readonly gateway: string;
  readonly address: string;
  /** Of the network it hangs in; 32 on the public one, where neighbours are reached through the gateway too. */
  readonly prefix: number;
  /** Options of its link; undefined: a plain one, without an emulator. */
  readonly link: Readonly<Record<string, string>> | undefined;
  readonly nat:
    | { readonly kind: string; readonly lan: string; readonly options: Readonly<Record<string, string>> }
    | undefined;
}

/** `kind:name[,option=value…]` of each as nodes with addresses; a router comes before what hangs behind it. */
export function planNodes(lab: string, specs: readonly string[]): LabNode[] {
  if (!NAME.test(lab)) throw new LabError(`a lab's name is up to 9 small letters and digits, not ${lab}`);
  const nodes = new Map<string, LabNode>();
  const counts = { pub: 0, home: 0, cgn: 0 };
  const behind = new Map<string, number>();
  const add = (node: Omit<LabNode, 'namespace'>): void => {
    if (node.name === INTERNET || nodes.has(node.name)) throw new LabError(`the name ${node.name} is taken`);
    nodes.set(node.name, { ...node, namespace: `${lab}-${node.name}` });
  };
  for (const { kind, name, options } of specs.map(parse)) {
    const n = ++counts[kind];
    if (n > COUNT_MAX[kind]) throw new LabError(`at most ${COUNT_MAX[kind]} of ${kind}`);
    const pick = (names: readonly string[]): Record<string, string> =>
      Object.fromEntries(
        Object.entries(options).filter(([option]) => names.includes(option.replace(/^(?:up|down)_/, ''))),
      );
    const link = 'wire' in options || Object.keys(pick(LINK_OPTIONS)).length > 0 ? pick(LINK_OPTIONS) : undefined;
    if (kind === 'pub') {
      const address = `198.51.100.${10 + n}`;
      add({ kind, name, behind: INTERNET, gateway: '198.51.100.1', address, prefix: 32, link, nat: undefined });
      continue;
    }
    const lan = network(options.lan ?? (kind === 'home' ? `192.168.${n}.0/24` : `100.64.${n}.0/24`));
    const nat = { kind: options.nat ?? 'eim/port', lan, options: pick(NAT_OPTIONS) };
    if (!NAT_KIND.test(nat.kind))
      throw new LabError(`${name}: nat is eim|adm|edm/open|addr|port, linux or linux-random`);
    if (options.via === undefined) {
      const address = `203.0.113.${(kind === 'home' ? 10 : 230) + n}`;
      add({ kind, name, behind: INTERNET, gateway: '203.0.113.1', address, prefix: 32, link, nat });
    } else {
      const outer = nodes.get(options.via)?.nat;
      if (outer === undefined) throw new LabError(`${name}: via names no router that comes before it`);
      const place = (behind.get(options.via) ?? 0) + 1;
      behind.set(options.via, place);
      const [gateway, address] = [inNetwork(outer.lan, 1), inNetwork(outer.lan, 110 + place)];
      add({ kind, name, behind: options.via, gateway, address, prefix: 24, link, nat });
    }
    const hosts = Number(options.hosts ?? (kind === 'home' ? 1 : 0));
    if (!Number.isInteger(hosts) || hosts < 0 || hosts > HOSTS_MAX)
      throw new LabError(`${name}: 0 to ${HOSTS_MAX} hosts`);
    for (let host = 1; host <= hosts; host++) {
      const [gateway, address] = [inNetwork(lan, 1), inNetwork(lan, 10 + host)];
      add({
        kind: 'host',
        name: `${name}-${host}`,
        behind: name,
        gateway,
        address,
        prefix: 24,
        link: undefined,
        nat: undefined,
      });
    }
  }
  return [...nodes.values()];
}

interface Spec {
  readonly kind: keyof typeof OWN_OPTIONS;
  readonly name: string;
  readonly options: Readonly<Record<string, string>>;
}

function parse(text: string): Spec {
  const [head = '', ...rest] = text.split(',');
  const [kind = '', name = ''] = head.split(':');
  if (!isKind(kind))
    throw new LabError(`${text}: a node is pub:NAME, home:NAME or cgn:NAME, with options behind commas`);
  if (!NAME.test(name)) throw new LabError(`${text}: a node's name is up to 9 small letters and digits`);
  const options = Object.fromEntries(
    rest.map((option) => {
      const [key = '', value = '1'] = option.split('=');
      return [key, value];
    }),
  );
  const known: readonly string[] = ['wire', ...OWN_OPTIONS[kind], ...(kind === 'pub' ? [] : NAT_OPTIONS)];
  for (const [option, value] of Object.entries(options)) {
    const isLink = (LINK_OPTIONS as readonly string[]).includes(option.replace(/^(?:up|down)_/, ''));
    if (!isLink && !known.includes(option)) throw new LabError(`${name}: there is no option ${option}`);
    if (isLink && !(Number(value) >= 0)) throw new LabError(`${name}: ${option} is a number, not ${value}`);
  }
  return { kind, name, options };
}

function isKind(kind: string): kind is Spec['kind'] {
  return Object.hasOwn(OWN_OPTIONS, kind);
}

function network(text: string): string {
  const [base = '', prefix] = text.split('/');
  if (!isIPv4(base) || prefix !== '24' || !base.endsWith('.0')) throw new LabError(`lan is a /24 of IPv4, not ${text}`);
  const reserved = new BlockList();
  for (const own of ['198.51.100.0', '203.0.113.0']) reserved.addSubnet(own, 24);
  if (reserved.check(base)) throw new LabError(`${text} is the lab's public network`);
  return text;
}

function inNetwork(lan: string, host: number): string {
  return lan.replace(/\.0\/24$/, `.${host}`);
}
