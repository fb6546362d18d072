// What the newest entry of CHANGELOG.md must carry, so that no change of the wire or of a limit goes unmentioned.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

const DIGEST_CHARS = 12;
/** Columns that say why and where: rewording a comment or moving a message to another plugin changes nothing. */
const PROSE = new Set(['why', 'meaning', 'plugin']);

/**
 * The line for the newest entry of CHANGELOG.md: digests of `docs/protocol.md` and `docs/limits.md`, over the sorted
 * rows of their tables and lists without prose (VIS-06).
 */
export function digestLine(): string {
  const [protocol, limits] = ['docs/protocol.md', 'docs/limits.md'].map((path) => digest(readFileSync(path, 'utf8')));
  return `Wire: protocol \`${protocol}\`, limits \`${limits}\``;
}

/** The text of the newest entry, its heading included. */
export function newestEntry(): string {
  return readFileSync('CHANGELOG.md', 'utf8').split(/^(?=## )/m)[1] ?? '';
}

function digest(page: string): string {
  const rows: string[] = [];
  let kept: boolean[] | undefined;
  for (const line of page.split('\n')) {
    if (line.startsWith('- ')) rows.push(line);
    if (!line.startsWith('|')) {
      kept = undefined;
      continue;
    }
    const cells = line.split('|').slice(1, -1);
    if (kept === undefined) {
      kept = cells.map((cell) => !PROSE.has(cell.trim()));
      continue;
    }
    rows.push(cells.filter((_, index) => kept?.[index]).join('|'));
  }
  return createHash('sha256').update(rows.sort().join('\n')).digest('hex').slice(0, DIGEST_CHARS);
}
