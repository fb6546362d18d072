// Writes the pages of docs/ that are made from the code; with --check only says which differ, and fails.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { digestLine, newestEntry } from './changelog-digests.ts';
import { commandsPage } from './generate-commands.ts';
import { errorsPage } from './generate-errors.ts';
import { limitsPage } from './generate-limits.ts';
import { protocolPage } from './generate-protocol.ts';
import { withPictures } from './structure.ts';

const DIST = join(import.meta.dirname, '..');
const PAGES: Readonly<Record<string, () => Promise<string> | string>> = {
  'docs/architecture.md': () => withPictures(readFileSync('docs/architecture.md', 'utf8')),
  'docs/commands.md': commandsPage,
  'docs/errors.md': () => errorsPage(DIST),
  'docs/limits.md': () => limitsPage(DIST),
  'docs/protocol.md': () => protocolPage(DIST),
};

const check = process.argv.includes('--check');
const stale: string[] = [];
for (const [path, make] of Object.entries(PAGES)) {
  const text = await make();
  if (existsSync(path) && readFileSync(path, 'utf8') === text) continue;
  stale.push(path);
  if (!check) writeFileSync(path, text);
}
for (const path of stale)
  console.log(check ? `${path} is not what the code says: run \`npm run docs\`` : `wrote ${path}`);
if (!check && !newestEntry().includes(digestLine()))
  console.log(`CHANGELOG.md: say in the newest entry what changed, then put in\n  ${digestLine()}`);
process.exitCode = check && stale.length > 0 ? 1 : 0;
