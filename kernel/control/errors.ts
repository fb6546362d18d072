import { defineErrors } from '../sdk/errors.ts';

/** What the control API answers to whoever uses it wrongly, and what its client meets. */
export const controlErrors = defineErrors('control', {
  'bad-json': {
    message: 'The line is not JSON: {detail}',
    hint: 'Send one JSON-RPC 2.0 request per line',
  },
  'bad-request': {
    message: 'Not a JSON-RPC 2.0 request: {detail}',
    hint: 'Send {"jsonrpc":"2.0","id":1,"method":"status","params":{}}; batches are not taken',
  },
  'line-too-long': {
    message: 'A line is longer than {limit} bytes',
    hint: 'Give large content by file path instead of in the request',
  },
  'answer-too-long': {
    message: 'The answer of {command} is longer than {limit} bytes',
    hint: 'Ask for less at a time, or in pages where the command has them',
  },
  'too-many-clients': {
    message: 'The node serves {limit} control clients already',
    hint: 'Close one of them and try again',
    retryable: true,
  },
  'too-many-calls': {
    message: 'This client has {limit} calls under way already',
    hint: 'Wait for an answer before sending more',
    retryable: true,
  },
  cancelled: { message: 'The call was cancelled', retryable: true },
  internal: {
    message: '{command} failed inside the node: {detail}',
    hint: 'The log has the stack; see `itsgoin log`',
  },
  'not-running': {
    message: 'No node runs on {dataDir}',
    hint: 'Start one with `itsgoin --daemon`, or name another directory with --data',
    retryable: true,
  },
  'connection-lost': {
    message: 'The node closed the control connection',
    hint: 'It may have been shut down; see `itsgoin status`',
    retryable: true,
  },
  'no-answer': {
    message: 'The node took the connection and has not answered anything for {seconds} s',
    hint: 'Something holds it up. A plugin that does is ended by the node itself; otherwise see node.log, or kill the process in node.pid',
    retryable: true,
  },
  'socket-refused': {
    message: 'Cannot use the control socket {path}: {detail}',
    hint: 'Check who owns the data directory and its permissions',
  },
  'not-swapped': {
    message: '{name} was {outcome}: {reason}',
    hint: '{hint}',
  },
  'no-identity': {
    message: '{dataDir} has no identity yet',
    hint: 'Start a node there once, or name another directory with --data',
  },
  'no-file': {
    message: 'Cannot read {path}',
    hint: 'Check the path and its permissions',
  },
  'file-exists': {
    message: '{path} exists already',
    hint: 'Choose another name or remove it first',
  },
  'bad-name': {
    message: '"{name}" is not a plugin name',
    hint: 'Use lower-case letters, digits and dashes, starting with a letter, at most 40 characters',
  },
  'not-yours': {
    message: 'There is no plugin of yours named "{name}"; there is: {known}',
    hint: '"itsgoin plugin new {name}" writes one with a test',
  },
  'no-tests': {
    message: '{name} has no tests: {place} is not there, nor another file that ends in .test.ts or .test.js',
    hint: 'Begin with: import test from "node:test"; import { testNetwork } from "itsgoin/testing". docs/testing.md goes on from there, and "itsgoin plugin new <other name>" writes an example',
  },
  'tests-failed': {
    message: '{failed} of {total} tests of {name} failed',
    hint: 'Each is listed with its place; `node --test --test-name-pattern=<name>` in the folder runs one of them',
  },
});
