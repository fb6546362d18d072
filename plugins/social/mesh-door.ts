import type { ContextBase, Ref } from '../../kernel/index.ts';
import { meshReady } from '../mesh/api.ts';
import type { MeshService } from '../mesh/api.ts';

/**
 * Gives mesh something for the life of a generation, again after each swap of mesh. `give` returns its
 * undo. Call it in `setup` and call what it returns in `activate`.
 */
export function offerToMesh(
  ctx: Pick<ContextBase, 'on' | 'defer'>,
  mesh: () => Ref<MeshService>,
  give: (service: MeshService) => () => void,
): () => Promise<void> {
  let undo: (() => void) | undefined;
  const offer = async (): Promise<void> => {
    const ref = mesh();
    if (!ref.available) return;
    await ref.use((service) => {
      undo?.();
      undo = give(service);
    });
  };
  ctx.on(meshReady, offer);
  ctx.defer(() => undo?.());
  return offer;
}
