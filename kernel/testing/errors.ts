import { defineErrors } from '../sdk/errors.ts';

export const testingErrors = defineErrors('testing', {
  'not-in-time': {
    message: '{what} did not happen within {withinMs} ms; it is {atMs} ms',
    hint: 'Times are virtual: since the network was started.',
  },
  never: {
    message: '{what} never happens: at {atMs} ms no timer is left that could bring it about',
    hint: 'Times are virtual: since the network was started.',
  },
  'name-taken': { message: 'There is a node called {name} already', hint: 'Its keys are made of its name.' },
  'no-such-node': { message: 'There is no node {number} among {count}' },
  'node-off': { message: '{node} is off', hint: 'Start it with `net.restart`.' },
  'no-such-plugin': { message: 'No plugin that ships with itsgoin is called "{name}"', hint: 'There are: {known}.' },
  'not-played': { message: 'The stand-in for {name} was given no "{method}"' },
  'not-active': { message: '{node}: plugin {plugin} is {state}: {reason}' },
});
