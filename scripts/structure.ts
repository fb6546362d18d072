// Which folder imports from which, read from the sources and drawn as mermaid.
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, sep } from 'node:path';

const IMPORT = /^\s*(?:import|export)\s+(?:type\s)?[^'"`;]*?from\s*'([^']+)'|\bimport\('([^']+)'\)|^import '([^']+)'/gm;

/** `docs/architecture.md` with its pictures of the folders drawn anew, each below its `<!-- structure: folder -->`. */
export function withPictures(page: string): string {
  return page.replace(
    /(<!-- structure: ([a-z]+) -->\n)(?:\n```mermaid\n[^`]*```\n)?/g,
    (_, marker: string, folder: string) => `${marker}\n${picture(folder)}\n`,
  );
}

/** The folders right below `folder` and the imports between them. */
function picture(folder: string): string {
  const nameOf = (file: string): string | undefined => new RegExp(`^${folder}/([a-z-]+)/`).exec(file)?.[1];
  const files = globSync(`${folder}/**/*.ts`).map((file) => file.split(sep).join('/'));
  const names = new Set(files.map(nameOf).filter((name) => name !== undefined));
  const arrows = new Set<string>();
  for (const from of files) {
    for (const match of readFileSync(from, 'utf8').matchAll(IMPORT)) {
      const specifier = match[1] ?? match[2] ?? match[3] ?? '';
      if (!specifier.startsWith('.')) continue;
      const to = normalize(join(dirname(from), specifier))
        .split(sep)
        .join('/');
      const [a, b] = [nameOf(from), nameOf(to)];
      if (a !== undefined && b !== undefined && a !== b) arrows.add(`  ${a} --> ${b}`);
    }
  }
  const alone = [...names].filter((name) => ![...arrows].some((arrow) => arrow.split(/\s+/).includes(name)));
  return ['```mermaid', 'flowchart TD', ...alone.sort().map((name) => `  ${name}`), ...[...arrows].sort(), '```'].join(
    '\n',
  );
}
