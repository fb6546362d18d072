export { chooseDataDirectory } from './choose-directory.ts';
export type { ConfigFile, NodeConfig } from './config.ts';
export { nodeFaults, readContent, setNodeKey, writeContent } from './content.ts';
export { configErrors } from './errors.ts';
export { NodeKeys } from './node-keys.ts';
export { nearest } from './nearest.ts';
export type { Given } from './given-settings.ts';
export { openConfig } from './open-config.ts';
export { type ConfigFault, pluginFaults, refuseMovedKeys, resolvePluginConfig, resolveSection } from './resolve.ts';
