import { type PluginOptions, plugin } from './plugin.js';

export type { PluginOptions };
/** The plugin for esbuild. */
export default plugin.esbuild;
