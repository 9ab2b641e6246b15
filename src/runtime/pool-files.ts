import { LOADER_TEXTS } from './loader-text.js';
import { quote, spawnText, urlOf } from './source-text.js';

/**
 * NAME.pool.mjs and NAME.worker.mjs. The worker imports NAME.mjs, which knows nothing of pools: no circle.
 */
export function poolFiles(name: string): { readonly name: string; readonly data: string }[] {
  const spawn = spawnText(name, `${name}.worker.mjs`);
  const pool = `${LOADER_TEXTS.poolOf}\nexport const createPool = poolOf(${quote(name)}, ${spawn});\n`;
  const worker = `import { load } from ${quote(urlOf(`${name}.mjs`))};\n${LOADER_TEXTS.servePool}\nservePool(load);\n`;
  return [
    { name: `${name}.pool.mjs`, data: pool },
    { name: `${name}.worker.mjs`, data: worker },
  ];
}

/** The declarations of NAME.pool.mjs, which stand in NAME.d.ts. */
export const poolDeclarations = (name: string): string => `
declare module ${quote(`*/${name}.pool.mjs`)} {
  import type { Inputs, LoadOptions, Outputs, Source } from ${quote(`*/${name}.mjs`)};

  /** Instances of the network in workers. */
  export interface Pool {
    readonly size: number;
    /** Runs in the next worker that is free. A batch is one call: give the items one by one to spread them. */
    run(inputs: Inputs): Promise<Outputs>;
    /** Ends the workers; calls that have not finished are rejected. */
    free(): void;
  }

  /** Loads the network in \`size\` workers, each with a memory of its own. */
  export function createPool(size: number, source?: Exclude<Source, Response>, options?: Omit<LoadOptions, 'fetch'>): Promise<Pool>;
}
`;
