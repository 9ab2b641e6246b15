import { readFileSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, resolve } from 'node:path';
import { createUnplugin, type UnpluginInstance } from 'unplugin';
import type { CompileOptions } from '../options.js';
import { QcError } from '../support/errors.js';
import { type CachedPackage, compileCached } from './compile-cached.js';

/** What the plugin can be told. */
export interface PluginOptions {
  /** How models are compiled; a function gets the path of each. */
  readonly compile?: CompileOptions | ((path: string) => CompileOptions);
  /** Folder of compiled packages. Default: node_modules/.cache/qc-compiler */
  readonly cache?: string;
}

const QUERY = /\?qc$/;
const URLS = /new URL\("\.\/((?:[^"\\]|\\.)+)", import\.meta\.url\)/g;

/** The text of a loader whose files are named by `place`, which gives an expression that is a URL or a path. */
const withFiles = (code: string, place: (file: string) => string): string =>
  code.replace(URLS, (_, file: string) => place(decodeURIComponent(JSON.parse(`"${file}"`) as string)));

/** What the bundlers' contexts have of each other. */
interface Emitter {
  emitFile?(file: { type: 'asset'; name: string; source: Uint8Array }): unknown;
}

const isRelative = (id: string): boolean => /^\.{1,2}\//.test(id);

/**
 * `import net from './model.onnx?qc'`: the model is compiled when the bundle is built, and the import is its loader.
 * Vite and webpack follow `new URL('./NAME.wasm', import.meta.url)` themselves; for Rollup the files are emitted as
 * assets, for esbuild imported with the loader `file`.
 */
export const plugin: UnpluginInstance<PluginOptions | undefined> = createUnplugin((options, { framework }) => {
  const packages = new Map<string, CachedPackage>();
  const cache = resolve(options?.cache ?? 'node_modules/.cache/qc-compiler');
  const settingsOf = (path: string): CompileOptions =>
    typeof options?.compile === 'function' ? options.compile(path) : (options?.compile ?? {});
  return {
    name: 'qc-compiler',
    enforce: 'pre',
    async resolveId(id, importer) {
      if (!QUERY.test(id)) return null;
      const bare = id.replace(QUERY, '');
      if (!isAbsolute(bare) && !isRelative(bare)) return null;
      const path = isAbsolute(bare) ? bare : join(importer ? dirname(importer.replace(/[?#].*$/, '')) : '.', bare);
      try {
        const made = await compileCached(path, settingsOf(path), cache);
        packages.set(made.loader, made);
        return made.loader;
      } catch (error) {
        // bundlers print messages alone: file, node and remedy belong to it
        throw error instanceof QcError ? new Error(`qc: ${error.format()}`, { cause: error }) : error;
      }
    },
    loadInclude: (id) => packages.has(id),
    load(id) {
      const made = packages.get(id) as CachedPackage;
      for (const source of made.sources) this.addWatchFile(source);
      const text = readFileSync(id, 'utf8');
      const code = `${text}export default { load, loadSync };\n`;
      if (framework === 'rollup')
        return withFiles(code, (file) => {
          const source = readFileSync(join(made.folder, file));
          const reference = (this as Emitter).emitFile?.({ type: 'asset', name: basename(file), source });
          return `new URL(import.meta.ROLLUP_FILE_URL_${String(reference)})`;
        });
      if (framework !== 'esbuild') return code;
      const imports: string[] = [];
      const body = withFiles(code, (file) => {
        imports.push(`import file${imports.length} from ${JSON.stringify(`./${file}`)};\n`);
        return `new URL(file${imports.length - 1}, import.meta.url)`;
      });
      return imports.join('') + body;
    },
    esbuild: {
      onResolveFilter: QUERY,
      config(config) {
        config.loader = { '.wasm': 'file', '.bin': 'file', ...config.loader };
      },
    },
  };
});
