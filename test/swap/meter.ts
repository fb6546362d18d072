/**
 * `meter` sends numbered exchanges; its handler calls into peers, routing, mesh, social and anchors, so that a swap of those
 * sits in the middle of every call. It counts what it handled by number.
 */
export const METER = `
import { defineCommand, defineRequest, definePlugin, defineToken, codeOf, Type } from 'itsgoin';
const count = defineRequest({
  name: 'test/count@1', about: 'One number', body: Type.Object({ n: Type.Integer() }), maxBytes: 256,
  budget: { perSecond: 5000, burst: 5000, inFlight: 256 },
  response: { body: Type.Object({ n: Type.Integer() }), maxBytes: 256 },
});
export default definePlugin({
  name: 'meter', version: '1.0.0', kernel: '^1', about: 'Counts', messages: { count },
  inject: { peers: defineToken('peers'), routing: defineToken('routing'), mesh: defineToken('mesh'), social: defineToken('social'), anchors: defineToken('anchors') },
  commands: {
    'meter.send': defineCommand({ about: 'Send one', params: Type.Object({ to: Type.String(), n: Type.Integer() }), result: Type.Any() }),
    'meter.read': defineCommand({ about: 'Read', params: Type.Object({}), result: Type.Any() }),
  },
  setup(ctx) {
    const seen = new Map();
    return {
      handlers: {
        async count({ n }) {
          // A provider that is off for the moment is waited for as a user would: by asking again.
          for (;;) {
            try {
              await ctx.deps.peers.use((peers) => peers.peers());
              await ctx.deps.routing.use((routing) => routing.randomN2());
              await ctx.deps.mesh.use((mesh) => mesh.slots());
              await ctx.deps.social.use((social) => social.follows());
              await ctx.deps.anchors.use((anchors) => anchors.known());
              break;
            } catch (error) {
              if (codeOf(error) !== 'lifecycle/service-off') throw error;
              await ctx.clock.sleep(5);
            }
          }
          seen.set(n, (seen.get(n) ?? 0) + 1);
          return { n };
        },
      },
      commands: {
        'meter.send': ({ to, n }, { signal }) => ctx.send(to, count, { n }, { signal }),
        'meter.read': () => ({ handled: seen.size, doubled: [...seen.values()].filter((times) => times > 1).length }),
      },
    };
  },
});
`;
