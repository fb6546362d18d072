#!/usr/bin/env node
// Plain JavaScript without newer syntax: its first duty is to run on any Node and to say so when that
// one is too old, so neither `node:` imports nor newer operators. The node itself needs Node 22.18 (type stripping for plugins, stable native modules).
import { spawn } from 'child_process';
import { existsSync } from 'fs';
import module from 'module';
import { dirname, join } from 'path';
import { fileURLToPath, pathToFileURL } from 'url';

const NEEDED = '22.18.0';
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const entry = join(root, 'dist', 'cli', 'main.js');

if (isOlder(process.versions.node, NEEDED)) runUnderOwnNode();
else if (!existsSync(entry)) {
  fail('itsgoin is not built yet: run `npm start` in ' + root + ', which builds it first.');
} else run();

function run() {
  stopWithLauncher();
  // Compiled code is kept beside the installed packages, which belong to whoever may change the code.
  if (module.enableCompileCache) module.enableCompileCache(join(root, 'node_modules', '.cache', 'itsgoin'));
  import(pathToFileURL(entry).href)
    .then((cli) => cli.main(process.argv.slice(2)))
    .then(
      (code) => {
        process.exitCode = code;
      },
      (error) => fail(error instanceof Error ? error.message : String(error)),
    );
}

function runUnderOwnNode() {
  const own = [join('bin', 'node'), join('bin', 'node.exe')]
    .map((path) => join(root, 'node_modules', 'node', path))
    .find((path) => existsSync(path));
  if (!own) {
    fail(
      'itsgoin needs Node ' +
        NEEDED +
        ' or newer, this is ' +
        process.versions.node +
        '. Run `npm install` in ' +
        root +
        ' to get one for it alone.',
    );
    return;
  }
  const env = Object.assign({}, process.env, { ITSGOIN_LAUNCHED: '1' });
  const args = [fileURLToPath(import.meta.url)].concat(process.argv.slice(2));
  const child = spawn(own, args, { stdio: ['inherit', 'inherit', 'inherit', 'ipc'], env: env });
  // From a terminal both get the signal; from `kill` only this process does.
  ['SIGINT', 'SIGTERM', 'SIGHUP'].forEach((signal) => {
    process.on(signal, () => {
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
    });
  });
  child.on('error', (error) => fail('itsgoin cannot run ' + own + ': ' + error.message));
  child.on('exit', (code, signal) => {
    if (!signal) {
      process.exitCode = code;
      return;
    }
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}

/** A launcher that is killed outright must not leave the node behind. */
function stopWithLauncher() {
  if (process.env.ITSGOIN_LAUNCHED !== '1' || !process.channel) return;
  delete process.env.ITSGOIN_LAUNCHED;
  process.on('disconnect', () => process.kill(process.pid, 'SIGTERM'));
  process.channel.unref();
}

function isOlder(version, than) {
  const have = version.split('.').map(Number);
  const need = than.split('.').map(Number);
  for (let index = 0; index < 3; index++) {
    if (have[index] !== need[index]) return have[index] < need[index];
  }
  return false;
}

function fail(message) {
  console.error(message);
  process.exitCode = 1;
}
