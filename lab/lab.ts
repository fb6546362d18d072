import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { askHelper, endHelpers, type Helper, startHelper } from './helper.ts';
import { devicesOf, isKernels, makeNetwork } from './network.ts';
import { INTERNET, LabError, type LabNode, planNodes } from './nodes.ts';
import { compiled, ipBatch, missing, run } from './tools.ts';

const NAMESPACES = '/var/run/netns';

interface State {
  readonly nodes: readonly LabNode[];
  readonly helpers: Helper[];
}

/** A small internet of network namespaces. Nothing in it reaches the machine's own network. */
export class Lab {
  readonly name: string;
  readonly nodes: readonly LabNode[];
  readonly #helpers: Helper[];

  private constructor(name: string, { nodes, helpers }: State) {
    this.name = name;
    this.nodes = nodes;
    this.#helpers = helpers;
  }

  /** @throws LabError */
  static async up(name: string, specs: readonly string[]): Promise<Lab> {
    const nodes = planNodes(name, specs);
    const reason = missing(['gcc', 'ip', ...(nodes.some(({ nat }) => nat !== undefined) ? ['nft'] : [])]);
    if (reason !== undefined) throw new LabError(reason);
    if (existsSync(stateFile(name))) throw new LabError(`the lab ${name} is up already`);
    mkdirSync(directory(name), { recursive: true, mode: 0o700 });
    const lab = new Lab(name, { nodes, helpers: [] });
    lab.#save();
    try {
      makeNetwork(name, nodes);
      await lab.#startHelpers();
    } catch (error) {
      await lab.down();
      throw error;
    }
    return lab;
  }

  /** One that is up. @throws LabError */
  static open(name: string): Lab {
    if (!existsSync(stateFile(name))) throw new LabError(`the lab ${name} is not up`);
    return new Lab(name, JSON.parse(readFileSync(stateFile(name), 'utf8')) as State);
  }

  /** @throws LabError */
  node(name: string): LabNode {
    const node = this.nodes.find((one) => one.name === name);
    if (node === undefined) throw new LabError(`there is no ${name} in the lab ${this.name}`);
    return node;
  }

  /** Put before a command, this runs it in that node. */
  within(name: string): readonly string[] {
    return ['ip', 'netns', 'exec', this.node(name).namespace];
  }

  /** `stats`, or an option of the link with its new value, as `delay=80`: of a node whose link is a wire. */
  link(name: string, words: string): Promise<string> {
    return this.#ask(name, 'natwire', words);
  }

  /** `stats`, `dump`, `flush`, or an option of the NAT with its new value. */
  nat(name: string, words: string): Promise<string> {
    return this.#ask(name, 'natd', words);
  }

  /** @throws LabError when something that was not started by the lab still runs in it */
  async down(): Promise<void> {
    const ours = new Set(this.#helpers.map(({ pid }) => pid));
    const namespaces = [INTERNET, ...this.nodes.map(({ name }) => name)]
      .map((node) => `${this.name}-${node}`)
      .filter((namespace) => existsSync(join(NAMESPACES, namespace)));
    for (const namespace of namespaces) {
      const others = run(['ip', 'netns', 'pids', namespace])
        .split(/\s+/)
        .filter((pid) => pid !== '' && !ours.has(Number(pid)));
      if (others.length > 0) throw new LabError(`in ${namespace} still runs: ${others.join(', ')}`);
    }
    await endHelpers(this.#helpers);
    ipBatch(namespaces.map((namespace) => `netns del ${namespace}`));
    rmSync(directory(this.name), { recursive: true, force: true });
  }

  #ask(name: string, what: Helper['what'], words: string): Promise<string> {
    const helper = this.#helpers.find((one) => one.node === this.node(name).name && one.what === what);
    if (helper === undefined) throw new LabError(`${name} has no ${what}`);
    return askHelper(helper, words.includes('=') ? `set ${words}` : words);
  }

  async #startHelpers(): Promise<void> {
    const start = async (node: string, what: Helper['what'], args: readonly string[]): Promise<void> => {
      this.#helpers.push(await startHelper(node, what, compiled(what), args, directory(this.name)));
      this.#save();
    };
    for (const node of this.nodes) {
      const { near, far } = devicesOf(node);
      const here = join(NAMESPACES, node.namespace);
      if (node.link !== undefined) {
        const there = join(NAMESPACES, `${this.name}-${node.behind}`);
        await start(node.name, 'natwire', [`a=${here}:${near}`, `b=${there}:${far}`, ...words(node.link)]);
      }
      if (node.nat !== undefined && !isKernels(node.nat.kind)) {
        const [mapping, filter] = node.nat.kind.split('/');
        const kind = [`map=${mapping}`, `filter=${filter}`, `lan=${node.nat.lan}`, `wan=${node.address}`];
        await start(node.name, 'natd', [`netns=${here}`, 'tun=nat0', ...kind, ...words(node.nat.options)]);
      }
    }
  }

  #save(): void {
    writeFileSync(stateFile(this.name), JSON.stringify({ nodes: this.nodes, helpers: this.#helpers } satisfies State));
  }
}

function words(options: Readonly<Record<string, string>>): string[] {
  return Object.entries(options).map(([option, value]) => `${option}=${value}`);
}

function directory(name: string): string {
  return join(tmpdir(), 'itsgoin-lab', name);
}

function stateFile(name: string): string {
  return join(directory(name), 'state.json');
}
