import { defineRequest, defineToken, defineTopic, Type } from '../../../kernel/index.ts';
import type { NodeId } from '../../../kernel/index.ts';

export const ping = defineRequest({
  name: 'test/ping@1',
  about: 'Asks for a greeting',
  body: Type.Object({ text: Type.String({ maxLength: 100 }) }),
  response: { body: Type.Object({ text: Type.String({ maxLength: 200 }) }), maxBytes: 1_024 },
  maxBytes: 1_024,
  budget: { perSecond: 5, burst: 10, inFlight: 4 },
});

export const greeted = defineTopic<{ readonly peer: NodeId }>('greeter/greeted');
export const GREETER = defineToken<{ count(): number }>('greeter');
