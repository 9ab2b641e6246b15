import { type PluginOptions, plugin } from './plugin.js';

export type { PluginOptions };
/** The plugin for Rollup. */
export default plugin.rollup;
