import { type PluginOptions, plugin } from './plugin.js';

export type { PluginOptions };
/** The plugin for webpack. */
export default plugin.webpack;
