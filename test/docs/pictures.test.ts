import { globSync, readFileSync } from 'node:fs';
import test from 'ava';

/** The pictures of docs/architecture.md that are drawn by hand name files that are there. */

const page = readFileSync('docs/architecture.md', 'utf8');

test('what a picture draws inside a folder is a file of that folder', (t) => {
  const rooms = [...page.matchAll(/^ *subgraph \w+ \[([\w/-]+)[^\]]*\]\n([\s\S]*?)^ *end$/gm)];
  t.true(rooms.length > 0, 'the pictures are read');
  const missing = rooms.flatMap(([, folder = '', inside = '']) =>
    namesIn(inside).filter((name) => globSync(`${folder}/**/${name}.{ts,tsx}`).length === 0),
  );
  t.deepEqual(missing, []);
});

/** The labels of the boxes up to their colon; a box without a label is drawn with its id. */
function namesIn(inside: string): string[] {
  const labels = new Map<string, string>();
  for (const [, id = '', label] of inside.replace(/\|[^|]*\|/g, '').matchAll(/(\w+)(?:\[([^\]]*)\])?/g)) {
    labels.set(id, label?.split(':')[0] ?? labels.get(id) ?? id);
  }
  return [...labels.values()];
}
