import { readFileSync } from 'node:fs';
import test from 'ava';
import { digestLine, newestEntry } from '../../scripts/changelog-digests.ts';

test('the newest entry of the CHANGELOG carries the digests of wire and limits (VIS-06)', (t) => {
  t.true(
    newestEntry().includes(digestLine()),
    `docs/protocol.md or docs/limits.md changed: say in CHANGELOG.md what a user or another node notices, then put in\n${digestLine()}`,
  );
});

test('licence and package agree (VIS-05)', (t) => {
  t.is((JSON.parse(readFileSync('package.json', 'utf8')) as { license: string }).license, 'Apache-2.0');
  t.regex(readFileSync('LICENSE', 'utf8'), /Apache License\s+Version 2\.0/);
});
