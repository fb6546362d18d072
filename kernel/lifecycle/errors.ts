import { defineErrors } from '../sdk/errors.ts';

export const lifecycleErrors = defineErrors('lifecycle', {
  'unknown-plugin': {
    message: 'There is no plugin named "{name}".',
    hint: '"itsgoin plugin list" shows the names.',
  },
  'service-off': {
    message: 'The service "{service}" is off.',
    hint: '"itsgoin plugin list" shows which plugin is off; "itsgoin plugin enable <name>" turns it on.',
    retryable: true,
  },
  'hold-full': {
    message: 'Too many calls wait for the swap of "{name}" ({cap}).',
    hint: 'Try again in a second.',
    retryable: true,
  },
  'swap-aborted-call': {
    message: 'The call was ended because "{name}" was reloaded and the call did not finish within {limit} ms.',
    retryable: true,
  },
  'not-live': {
    message: '"{name}" used ctx.{method} before it was committed.',
    hint: 'Do it in activate(), a handler or a loop; setup only prepares.',
  },
  off: { message: '"{name}" is off.', hint: '"itsgoin plugin enable {name}" runs its code as it is now.' },
  'bad-manifest': { message: 'Plugin {name}: {problem}.', hint: 'See docs/plugin-guide.md.' },
  'load-failed': {
    message: 'Plugin code at {path} could not be loaded: {problem}',
    hint: 'Check the path and the code; "itsgoin plugin new NAME" writes a plugin that works.',
  },
  'left-out': {
    message: '"{name}" is left out: {reason}. "itsgoin plugin reload {name}" tries it again.',
    hint: 'Mend its code, or "itsgoin plugin reload {name}" to try it as it is.',
  },
  exit: { message: '"{name}" called process.{call}, which is for the node alone.' },
  blocked: {
    message: 'It held the event loop with a call that waits{place}; the process it waited for was ended.',
    hint: 'Use the call that does not wait: spawn, exec and execFile have no "Sync" in their names.',
  },
  'not-loaded': {
    message: 'The code of "{name}" is not loaded: {reason}',
    hint: 'Mend it, then "itsgoin plugin reload {name}".',
  },
  'setup-failed': { message: 'setup of "{name}" failed: {problem}' },
  'setup-timeout': { message: 'setup of "{name}" took longer than {limit} ms.' },
  'handover-failed': {
    message:
      '"{name}" could not take over state: {problem}. ' +
      'Let it take the state of the code that runs, or disable and enable it to start without',
    hint: 'docs/plugin-guide.md, "When something changes".',
  },
  'snapshot-failed': {
    message:
      'The code of "{name}" that runs could not hand over its state: {problem}. ' +
      'Save or reload once more, and the new code starts without it',
    hint: 'docs/plugin-guide.md, "When something changes".',
  },
  'wrong-name': { message: 'The code at {path} is the plugin "{found}", not "{name}".' },
  'already-present': {
    message: 'There is a plugin named "{name}" already.',
    hint: 'Use "itsgoin plugin replace {name} <path>" to run other code under that name.',
  },
  builtin: {
    message: '"{name}" is built in and cannot be removed.',
    hint: '"itsgoin plugin disable {name}" switches it off.',
  },
  local: {
    message: '"{name}" lives in the plugin folder of the data directory.',
    hint: 'Delete {path}, which the node notices, or "itsgoin plugin disable {name}".',
  },
  'circular-parts': { message: 'The parts of "{name}" need each other in a circle: {circle}.' },
  'not-injected': {
    message: 'A part of "{name}" uses "{token}", which the plugin does not inject.',
    hint: 'Name it in the plugin\'s "inject".',
  },
  'foreign-point': {
    message: '"{name}" reads the point "{point}", which it does not own.',
    hint: 'The owner names a point in its "points" and reads it; others contribute to it.',
  },
  'foreign-topic': {
    message: '"{name}" says "{topic}", which is not its own to say.',
    hint: 'The topics of a plugin are named "{name}/…".',
  },
  'loop-timeout': { message: 'The loop "{loop}" took longer than {limit} ms.', retryable: true },
  'contribution-timeout': {
    message: 'What "{plugin}" contributes to "{point}" did not answer within {limit} ms.',
    retryable: true,
  },
  stopped: { message: 'The node is stopping.' },
});
