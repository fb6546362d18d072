import { INTERNET, type LabNode } from './nodes.ts';
import { ipBatch, run } from './tools.ts';

const BRIDGE = 'type bridge forward_delay 0 mcast_snooping 0';
const PUBLIC_GATEWAY = '203.0.113.1';
const NO_WAN_CHECKS = ['rp_filter=0', 'send_redirects=0', 'accept_redirects=0', 'accept_local=1'];

/** The device of a node towards what it hangs behind, and that one's port for it. */
export function devicesOf(node: LabNode): { readonly near: string; readonly far: string } {
  return { near: node.nat === undefined ? 'eth0' : 'wan0', far: `p-${node.name}` };
}

/** Makes the namespaces, their devices, addresses and routes. What has a wire waits for it with a TAP at both ends. */
export function makeNetwork(lab: string, nodes: readonly LabNode[]): void {
  const internet = `${lab}-${INTERNET}`;
  ipBatch([internet, ...nodes.map(({ namespace }) => namespace)].map((namespace) => `netns add ${namespace}`));
  setKernel(internet, true);
  for (const node of nodes) setKernel(node.namespace, node.nat !== undefined);
  ipBatch(
    [
      `link add br0 address ${macOf(PUBLIC_GATEWAY)} ${BRIDGE}`,
      'link set br0 up',
      `addr add ${PUBLIC_GATEWAY}/24 dev br0`,
      'addr add 198.51.100.1/24 dev br0',
      // What is not in the lab is unreachable at once.
      'route add unreachable default',
    ],
    internet,
  );
  const namespaceOf = (name: string): string => `${lab}-${name}`;
  for (const node of nodes) {
    const { near, far } = devicesOf(node);
    const outer = namespaceOf(node.behind);
    const bridge = node.behind === INTERNET ? 'br0' : 'lan0';
    ipBatch(
      [
        ...(node.link === undefined
          ? [`link add ${far} type veth peer name ${near} netns ${node.namespace}`]
          : [`tuntap add dev ${far} mode tap`]),
        `link set ${far} master ${bridge}`,
        `link set ${far} up`,
        `neigh add ${node.address} lladdr ${macOf(node.address)} dev ${bridge}`,
      ],
      outer,
    );
    ipBatch(
      [...(node.link === undefined ? [] : [`tuntap add dev ${near} mode tap`]), ...inside(node, near)],
      node.namespace,
    );
    if (node.nat !== undefined) firewall(node);
  }
}

/**
 * Hardware addresses follow from IP addresses, and neighbours know them from the start: an ARP question that a
 * wire loses or delays would hold up what is measured.
 */
function macOf(address: string): string {
  return ['02', '00', ...address.split('.').map((byte) => Number(byte).toString(16).padStart(2, '0'))].join(':');
}

function inside({ behind, address, gateway, prefix, nat }: LabNode, device: string): string[] {
  const next = behind === INTERNET ? PUBLIC_GATEWAY : gateway;
  const route = prefix === 32 ? [`route add ${gateway} dev ${device}`] : [];
  return [
    'link set lo up',
    `link set ${device} address ${macOf(address)} up`,
    `addr add ${address}/${prefix} dev ${device}`,
    ...route,
    `neigh add ${gateway} lladdr ${macOf(next)} dev ${device}`,
    `route add default via ${gateway} dev ${device} src ${address}`,
    ...(nat === undefined ? [] : lan(nat.lan)),
    ...(nat === undefined || isKernels(nat.kind) ? [] : TO_NATD),
  ];
}

function lan(network: string): string[] {
  const address = network.replace(/\.0\/24$/, '.1');
  return [`link add lan0 address ${macOf(address)} ${BRIDGE}`, 'link set lan0 up', `addr add ${address}/24 dev lan0`];
}

/** Marked packets go into the device of `natd`, those to the router's own address as well. */
const TO_NATD = [
  'tuntap add dev nat0 mode tun',
  'link set nat0 mtu 65535 up',
  'rule add pref 10 fwmark 1 lookup 100',
  'rule add pref 20 lookup local',
  'rule del pref 0',
  'route add default dev nat0 table 100',
];

/** The kernel's own masquerade, without `natd`. */
export function isKernels(nat: string): boolean {
  return nat.startsWith('linux');
}

function setKernel(namespace: string, forwards: boolean): void {
  const settings = ['all', 'default'].flatMap((which) => [
    ...NO_WAN_CHECKS.map((setting) => `net.ipv4.conf.${which}.${setting}`),
    `net.ipv6.conf.${which}.disable_ipv6=1`,
  ]);
  const rest = [`net.ipv4.ip_forward=${forwards ? 1 : 0}`, 'net.ipv4.ping_group_range=0 2147483647'];
  const write = [...settings, ...rest].map((setting) => {
    const [name = '', value] = setting.split('=');
    return `echo ${value} > /proc/sys/${name.replaceAll('.', '/')}`;
  });
  // A kernel without IPv6 lacks some of them.
  run(['ip', 'netns', 'exec', namespace, 'sh', '-c', `{ ${write.join('; ')}; } 2>/dev/null; true`]);
}

/** TCP and ping cross by the kernel's masquerade; UDP as well, or, marked, through `natd`. */
function firewall({ namespace, nat }: LabNode): void {
  if (nat === undefined) return;
  const natd = `chain raw { type filter hook prerouting priority -300;
    iifname "nat0" notrack accept
    iifname "lan0" ip protocol udp ip daddr != { ${nat.lan}, 224.0.0.0/4, 255.255.255.255 } meta mark set 1 notrack
    iifname "wan0" ip protocol udp fib daddr type local meta mark set 1 notrack
    iifname "wan0" icmp type { destination-unreachable, time-exceeded, parameter-problem } @th,136,8 17 meta mark set 1 notrack
  }`;
  const isHard = nat.kind.startsWith('edm') || nat.kind === 'linux-random';
  const rules = `table ip lab { ${isKernels(nat.kind) ? '' : natd}
    chain forward { type filter hook forward priority 0; policy drop;
      iifname "nat0" accept
      oifname "nat0" accept
      ct state established,related accept
      iifname "lan0" oifname "wan0" accept
    }
    chain input { type filter hook input priority 0;
      iifname "wan0" icmp type echo-request accept
      iifname "wan0" ct state new,invalid,untracked drop
    }
    chain post { type nat hook postrouting priority 100;
      oifname "wan0" ip saddr ${nat.lan} masquerade ${isHard ? 'fully-random' : ''}
    }
  }`;
  run(['ip', 'netns', 'exec', namespace, 'nft', '-f', '-'], rules);
}
