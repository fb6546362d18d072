import { useSyncExternalStore } from 'react';
import type { Store } from './store/store.ts';

/** Redraws the calling component when the selected part changes. The selector must return stable values. */
export function useStore<T extends object, S>(store: Store<T>, select: (state: T) => S): S {
  return useSyncExternalStore(store.subscribe, () => select(store.get()));
}
