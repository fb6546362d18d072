import type { ExecutionContext } from 'ava';
import type { NodeId } from '../../kernel/index.ts';
import { filter, firstValueFrom, timeout } from 'rxjs';
import { type Node, type NodeOptions, startNode } from '../../kernel/node.ts';
import { temporaryDirectory } from './temporary.ts';

/** A real node in this process, on loopback, stopped when the test ends. */
export interface TestNode extends Node {
  readonly dataDir: string;
  /** `<node id>@127.0.0.1:<port>` */
  readonly connectString: string;
  readonly nodeId: NodeId;
  /** Resolves with the next event of a topic; fails after ten seconds. */
  nextEvent(topic: string, matches?: (event: unknown) => boolean): Promise<unknown>;
  /** Runs a command as the CLI would. */
  run<R = Record<string, unknown>>(command: string, params?: Record<string, unknown>): Promise<R>;
}

export async function testNode(t: ExecutionContext, options: Partial<NodeOptions> = {}): Promise<TestNode> {
  const dataDir = options.dataDir ?? temporaryDirectory(t);
  const node = await startNode({ bind: '127.0.0.1:0', logLevel: 'debug', attended: false, ...options, dataDir });
  t.teardown(() => node.stop());
  return {
    ...node,
    dataDir,
    nodeId: node.self.nodeId,
    connectString: `${node.self.nodeId}@127.0.0.1:${node.network.port}`,
    nextEvent: (topic, matches = () => true) =>
      firstValueFrom(
        node.bus.all().pipe(
          filter((entry) => entry.topic === topic && matches(entry.event)),
          timeout(10_000),
        ),
      ).then((entry) => entry.event),
    run: (command, params = {}) =>
      node.host.run(command, params, { signal: AbortSignal.timeout(30_000), progress() {} }) as never,
  };
}
