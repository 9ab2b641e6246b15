import type { EntryInfo, ModuleInfo } from './abi.js';
import { bindEntry } from './entry.js';
import type { Loader, LoadOptions, Net, Source } from './net.js';
import type { Exports, LoaderPart, NetContext } from './part.js';
import { compileSource, compileSync, readInfo } from './source.js';
import { describe, reason } from './values.js';

// This file with all it imports becomes the text of every emitted NAME.mjs (tools/embed-loader.ts): it must stand
// alone, run in every JavaScript engine, stay small, and use no eval, no dynamic import and no builtin by import.

export type { Loader, LoadOptions, Net, Source, TensorDescription, TypedArray } from './net.js';

/**
 * The functions that an emitted package exports. `name` starts every message; `beside` gives the source where the
 * caller names none; `parts` are those that the package needs.
 */
export function createLoader(name: string, beside: () => Source, parts: readonly LoaderPart[] = []): Loader {
  const failed = (cause: unknown): Error => new Error(`${name}: cannot be instantiated: ${reason(cause)}`, { cause });
  const importsOf = (info: ModuleInfo, options: LoadOptions): WebAssembly.Imports =>
    Object.assign({}, ...parts.map((part) => part.imports?.(info, options, name)));

  const makeNet = (context: NetContext, instance: WebAssembly.Instance): Net => {
    let exports = instance.exports as Exports | null;
    context.exports = () => {
      if (!exports) throw new Error(`${name}: the net was freed`);
      return exports;
    };
    exports!.init?.();
    const net: Net = {
      ...context.bind(context.info.entries[0] as EntryInfo),
      memoryBytes: context.exports().memory.buffer.byteLength,
      free() {
        exports = null;
      },
    };
    for (const part of parts) part.extend?.(net, context);
    return net;
  };

  const contextOf = (module: WebAssembly.Module, options: LoadOptions): NetContext => {
    const context: NetContext = {
      name,
      module,
      options,
      info: readInfo(name, module),
      exports: () => ({}) as Exports,
      bind: (entry) => bindEntry(name, entry, context.exports),
      describe,
      instantiate: (other) => instantiate(contextOf(other, options)),
    };
    return context;
  };

  const instantiate = async (context: NetContext): Promise<Net> => {
    const imports = importsOf(context.info, context.options);
    const instance = await WebAssembly.instantiate(context.module, imports).catch((cause) =>
      Promise.reject(failed(cause)),
    );
    return makeNet(context, instance);
  };

  return {
    async load(source, options = {}) {
      let given = await source;
      if (given && Object.getPrototypeOf(given) === Object.prototype) {
        options = given as LoadOptions;
        given = undefined;
      }
      let from = (given ?? beside()) as Source;
      for (const part of parts) from = (await part.source?.(from, options, name, !given)) ?? from;
      const context = contextOf(await compileSource(name, from, options), options);
      let net = await instantiate(context);
      for (const part of parts) net = (await part.ready?.(net, context)) ?? net;
      return net;
    },
    loadSync(source, options = {}) {
      const context = contextOf(compileSync(name, source), options);
      let instance: WebAssembly.Instance;
      try {
        instance = new WebAssembly.Instance(context.module, importsOf(context.info, options));
      } catch (cause) {
        throw failed(cause);
      }
      return makeNet(context, instance);
    },
  };
}
