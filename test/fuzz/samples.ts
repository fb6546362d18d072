import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { AnyMessage, AnyPlugin } from '../../kernel/index.ts';
import type { Sample } from '../../kernel/testing/mutations.ts';

const PLUGINS = join(import.meta.dirname, '../../plugins');

/** The messages of all built-in plugins that have a golden vector. */
export async function samples(): Promise<Sample[]> {
  const found: Sample[] = [];
  for (const file of readdirSync('test/vectors/messages')) {
    const name = file.replace('.json', '');
    const plugin = ((await import(pathToFileURL(join(PLUGINS, name, 'plugin.js')).href)) as { default: AnyPlugin })
      .default;
    const vectors = JSON.parse(readFileSync(`test/vectors/messages/${file}`, 'utf8')) as {
      message: string;
      request: { hex: string };
    }[];
    for (const message of Object.values<AnyMessage>(plugin.messages ?? {})) {
      const vector = vectors.find((entry) => entry.message === message.name);
      if (vector === undefined) continue;
      const frame = Buffer.from(vector.request.hex, 'hex');
      found.push({ message, code: frame[0] as number, payload: JSON.parse(frame.toString('utf8', 5)), frame });
    }
  }
  return found;
}
