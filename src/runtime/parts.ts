import type { ModuleInfo } from './abi.js';
import type { LOADER_TEXTS } from './loader-text.js';

/** What a package has besides the module; each an expression that gives the source. */
export interface PackageFiles {
  /** The delta to the module of the relaxed target. */
  readonly relaxed?: string;
  /** What starts the worker of a thread. */
  readonly thread?: string;
}

/** A part of the loader as packages know it. */
export interface PartEntry {
  /** The name that its text declares: the file in parts/ in camelCase. */
  readonly name: Exclude<keyof typeof LOADER_TEXTS, 'createLoader' | 'poolOf' | 'servePool' | 'serveThread'>;
  /** Whether the package of a module has it. */
  readonly needed: (info: ModuleInfo, files: PackageFiles) => boolean;
  /** The expression of the part where it is more than its name. */
  readonly use?: (files: PackageFiles) => string;
  /** Whether the workers of threads have it too: they compute, on a module that is there. */
  readonly inThreads?: true;
  /** Declarations, each a list of members with their comments, indented by 4. */
  readonly net?: string;
  readonly loadOptions?: string;
  /** Declarations of types, indented by 2. */
  readonly types?: string;
}

const PROFILE_MEMBERS = `    /** The parts of a run, in order: ids of ops (none at the border of the module), kernels, products, bytes. */
    readonly steps: readonly StepInfo[];
    /** Computes one part on what the memory holds. All in order, from 0 on, are \`runInPlace\`. */
    step(index: number): void;
    /** Times every step on what the input views hold. */
    profile(options?: { readonly rounds?: number; readonly now?: () => number }): Profile;
`;

const PROFILE_TYPES = `
  /** A part of a run. */
  export interface StepInfo {
    readonly ops: readonly number[];
    readonly type: string;
    readonly name: string;
    readonly kernels: readonly string[];
    readonly macs: number;
    readonly product?: object;
    readonly bytes: number;
    readonly inPlace?: boolean;
  }

  /** Times in milliseconds. */
  export interface Profile {
    readonly rounds: number;
    /** How many passes and runs at least were calm, and the median time of a run. */
    readonly calm: number;
    readonly run: number;
    /** Sum over the steps. */
    readonly sum: number;
    readonly steps: readonly (StepInfo & { readonly milliseconds: number; readonly repeats: number })[];
  }
`;

const IMAGE_TYPES = `
  /** A picture: ImageData of a canvas, or RGBA bytes row by row. */
  export interface Picture {
    readonly data: Uint8Array | Uint8ClampedArray;
    readonly width: number;
    readonly height: number;
  }
`;

const CLASSIFY_MEMBERS = `    /** Runs, and gives the elements of the first output with the highest scores: \`topK\` of them, 5 by default. */
    classify(given: Inputs[keyof Inputs] | Inputs, options?: { readonly topK?: number }): Class[];
`;

const CLASSIFY_TYPES = `
  /** An element of the first output; the label where labels were compiled in. */
  export interface Class {
    readonly index: number;
    readonly score: number;
    readonly label?: string;
  }
`;

const ENTRIES_MEMBERS = `    /** Runs the entry that was compiled for the shapes; a first dimension that is k times as long is k items. */
    run(inputs: ShapedInputs): Outputs;
    /** The entries, one per set of shapes, in the order in which they were asked for. */
    readonly entries: readonly Pick<Net, 'inputs' | 'outputs' | 'runInPlace' | 'input' | 'output'>[];
`;

const ENTRIES_TYPES = `
  /** Inputs with their shapes. */
  export type ShapedInputs = {
    readonly [Name in keyof Inputs]: { readonly data: Inputs[Name]; readonly shape: readonly number[] };
  };
`;

const THREADS_OPTIONS = `    /**
     * How many threads share a run: 1 to 64, or true for as many as there are cores, up to 8. The net is then a ThreadedNet.
     * Without SharedArrayBuffer, as on pages that are not cross-origin isolated, there is one.
     */
    readonly threads?: number | boolean;
`;

const hasImages = ({ entries }: ModuleInfo): boolean => entries.some((e) => e.inputs.some((input) => input.image));

/** The parts in the order in which they are asked. This table is the only list of them. */
export const PARTS: readonly PartEntry[] = [
  {
    name: 'bothTargets',
    needed: (_info, { relaxed }) => relaxed !== undefined,
    use: ({ relaxed }) => `bothTargets(() => ${relaxed})`,
  },
  {
    name: 'profile',
    needed: ({ entries }) => entries.some((entry) => entry.profile),
    net: PROFILE_MEMBERS,
    types: PROFILE_TYPES,
  },
  {
    name: 'entries',
    inThreads: true,
    needed: ({ entries }) => entries.length > 1,
    net: ENTRIES_MEMBERS,
    types: ENTRIES_TYPES,
  },
  {
    name: 'revectorize',
    needed: ({ target, selfTest }) => target === 'relaxed' && selfTest !== undefined,
    net: `    /** Whether \`revectorize\` took effect. */
    readonly revectorized: boolean;
`,
    loadOptions: `    /**
     * Experimental, Node 24 and later on x86-64 with AVX2: compiles with a flag of V8 that makes 256-bit code, checks the
     * result with the module's self-test and falls back to the usual code. The flag is set for the whole process while
     * the module is compiled. Other engines ignore it, and so does \`load\` of a WebAssembly.Module.
     */
    readonly revectorize?: boolean;
`,
  },
  {
    name: 'image',
    inThreads: true,
    needed: hasImages,
    types: IMAGE_TYPES,
  },
  {
    name: 'classify',
    needed: (info) => info.labels !== undefined || hasImages(info),
    net: CLASSIFY_MEMBERS,
    types: CLASSIFY_TYPES,
  },
  {
    name: 'threads',
    inThreads: true,
    needed: (info) => info.threads !== undefined,
    use: ({ thread }) => `threads(${thread ?? ''})`,
    loadOptions: THREADS_OPTIONS,
  },
  {
    name: 'warmUp',
    needed: () => true,
    loadOptions: `    /** Runs the net a few times before it is handed out, so that its first real run is fast. */
    readonly warmUp?: boolean;
`,
  },
];

/** The parts of a package. */
export const partsFor = (info: ModuleInfo, files: PackageFiles = {}): readonly PartEntry[] =>
  PARTS.filter((part) => part.needed(info, files));
