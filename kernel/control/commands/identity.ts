import { Type } from '../../sdk/typebox.ts';
import { type KernelCommands, kernelCommand } from '../deps.ts';

/** Who this node is. */
export const identityCommands: KernelCommands = {
  'identity.show': kernelCommand(
    {
      about: 'Who this node is, and the strings others can connect to it with',
      params: Type.Object({}),
      result: Type.Object({
        node_id: Type.String(),
        device_id: Type.String(),
        connect: Type.Array(Type.String(), { description: 'All addresses in one string first, then each alone' }),
      }),
    },
    (_params, _call, { network }) => {
      const { self } = network;
      const addresses = network.localAddresses();
      const each = addresses.length > 1 ? addresses : [];
      const hosts = addresses.length > 0 ? [addresses.join(','), ...each] : [];
      return { node_id: self.nodeId, device_id: self.deviceId, connect: hosts.map((host) => `${self.nodeId}@${host}`) };
    },
  ),
};
