import { definePart } from '../../kernel/index.ts';
import { Connector } from './connector.ts';
import type { PeersContext, PeersPluginContext } from './context.ts';
import { DialBudget } from './dial-budget.ts';
import { DialPurposes } from './dial-purposes.ts';
import { HandshakeExtensions } from './extensions.ts';
import { Handshake } from './handshake.ts';
import { History } from './history.ts';
import { IdentifyPush } from './identify-push.ts';
import { LocalHello } from './local-hello.ts';
import { PeerStore } from './peer-store.ts';
import { ReconnectQueue } from './reconnect-queue.ts';
import { peersService } from './service.ts';
import { PeerSessions } from './sessions.ts';
import { SlotNegotiation } from './slot-negotiation.ts';

/* What peers is made of, each once a generation. */

export const CONTEXT = definePart(
  'context',
  (_use, ctx: PeersPluginContext): PeersContext => ({ ctx, network: ctx.deps.network }),
);
export const SESSIONS = definePart('sessions', () => new PeerSessions());
export const HISTORY = definePart('history', () => new History());
export const PURPOSES = definePart('purposes', () => new DialPurposes());
export const STORE = definePart('store', (_use, ctx: PeersPluginContext) => new PeerStore(ctx.db));
export const BUDGET = definePart('budget', (_use, ctx: PeersPluginContext) => new DialBudget(ctx.clock));
export const EXTENSIONS = definePart('extensions', (_use, ctx: PeersPluginContext) => new HandshakeExtensions(ctx));
export const HELLO = definePart('hello', (use) => new LocalHello(use(CONTEXT)));
export const PUSH = definePart(
  'push',
  (use) => new IdentifyPush(use(CONTEXT), use(SESSIONS), use(HELLO), use(EXTENSIONS)),
);
export const SLOTS = definePart('slots', (use, ctx: PeersPluginContext) => new SlotNegotiation(ctx, use(PURPOSES)));
export const HANDSHAKE_PART = definePart(
  'handshake',
  (use) =>
    new Handshake(use(CONTEXT), {
      sessions: use(SESSIONS),
      hello: use(HELLO),
      extensions: use(EXTENSIONS),
      store: use(STORE),
      history: use(HISTORY),
      push: use(PUSH),
      slots: use(SLOTS),
    }),
);
export const CONNECTOR = definePart('connector', (use) => {
  const reconnect = use.later(RECONNECT);
  return new Connector(use(CONTEXT), {
    sessions: use(SESSIONS),
    store: use(STORE),
    history: use(HISTORY),
    budget: use(BUDGET),
    purposes: use(PURPOSES),
    dialled: () => reconnect().dialled(),
  });
});
export const RECONNECT: ReturnType<typeof definePart<ReconnectQueue>> = definePart(
  'reconnect',
  (use) => new ReconnectQueue(use(CONTEXT), use(STORE), use(SESSIONS), use(CONNECTOR)),
);
export const SERVICE = definePart('service', (use) =>
  peersService(use(CONTEXT), {
    sessions: use(SESSIONS),
    store: use(STORE),
    history: use(HISTORY),
    budget: use(BUDGET),
    purposes: use(PURPOSES),
    connector: use(CONNECTOR),
    reconnect: use(RECONNECT),
    handshake: use(HANDSHAKE_PART),
  }),
);
