import { type PluginOptions, plugin } from './plugin.js';

export type { PluginOptions };
/** The plugin for Vite
Rollup. */
export default plugin.vite;
