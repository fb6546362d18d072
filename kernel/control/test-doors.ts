import { installRevisionHook } from '../lifecycle/revision-hook.ts';

/** Imported ahead of a plugin's tests. */
installRevisionHook();
