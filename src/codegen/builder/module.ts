import type binaryenTypes from 'binaryen';
import { assert, internalError } from '../../support/errors.js';
import type { WasmType } from './expr.js';
import { FunctionBuilder, type Style } from './function.js';

/** The Binaryen library. */
export type Binaryen = typeof binaryenTypes;
type BinaryenModule = InstanceType<Binaryen['Module']>;

let loading: Promise<Binaryen> | undefined;

/** Loads Binaryen once, when something is compiled for the first time. */
export function loadBinaryen(): Promise<Binaryen> {
  loading ??= import('binaryen').then((m) => m.default);
  return loading;
}

/** What a compiled function is declared as. Parameters are i32 or f32. */
export interface Signature {
  readonly params: readonly ('i32' | 'f32')[];
}

/** What a module may use. */
export interface ModuleOptions {
  readonly pages: number;
  readonly relaxed: boolean | 'emulated';
  readonly fastMath?: boolean;
  /** The memory is shared and imported, so that several instances have one. */
  readonly shared?: SharedMemory;
}

/** A memory that the host makes. */
export interface SharedMemory {
  /** The most pages that it may have. */
  readonly maxPages: number;
  /** Passive data segments, `segmentName(0)` and so on; their content is put in afterwards. */
  readonly segments: number;
  readonly from: { readonly module: string; readonly name: string };
}

/** Name of a passive segment. */
export const segmentName = (index: number): string => `data${index}`;

/** A wasm module under construction: functions without results, one memory, exports. */
export class ModuleBuilder {
  readonly binaryen: Binaryen;
  readonly module: BinaryenModule;
  private disposed = false;
  private readonly style: Style;

  /**
   * `relaxed` allows relaxed SIMD instructions; emulated: kernels may use them, fixed-width ones are written.
   * `fastMath` (with `relaxed`) lets the engine fuse the sums of real products.
   */
  constructor(binaryen: Binaryen, options: ModuleOptions) {
    this.binaryen = binaryen;
    const { relaxed, fastMath = false } = options;
    assert(!fastMath || relaxed === true, 'fast math takes relaxed SIMD');
    this.style = { emulates: relaxed === 'emulated', fastMath };
    this.module = new binaryen.Module();
    const { SIMD128, BulkMemory, BulkMemoryOpt, MutableGlobals, NontrappingFPToInt, SignExt, RelaxedSIMD } =
      binaryen.Features;
    const base = SIMD128 | BulkMemory | BulkMemoryOpt | MutableGlobals | NontrappingFPToInt | SignExt;
    const { shared } = options;
    const threads = shared ? binaryen.Features.Atomics : 0;
    this.module.setFeatures((options.relaxed === true ? base | RelaxedSIMD : base) | threads);
    if (shared) this.importMemory(options.pages, shared);
    else this.module.setMemory(options.pages, options.pages, 'memory', []);
  }

  private importMemory(pages: number, { maxPages, segments, from }: SharedMemory): void {
    const segment = (_: unknown, i: number) => ({
      name: segmentName(i),
      offset: 0,
      data: new Uint8Array(1),
      passive: true,
    });
    this.module.setMemory(pages, maxPages, 'memory', Array.from({ length: segments }, segment), true);
    this.module.addMemoryImport('0', from.module, from.name, true);
  }

  /** Adds a function whose body is built by `body`. Its parameters come as expressions through the builder. */
  addFunction(
    name: string,
    signature: Signature,
    body: (f: FunctionBuilder) => readonly { make: () => number }[],
  ): void {
    const f = new FunctionBuilder(this.binaryen, this.module, signature, this.style);
    const built = body(f);
    const statements = [...f.keptVectors.setup, ...built].map((s) => s.make());
    const { none } = this.binaryen;
    const params = this.binaryen.createType(signature.params.map((p) => this.wasmType(p)));
    this.module.addFunction(
      name,
      params,
      none,
      f.localTypes().map((t) => this.wasmType(t)),
      this.module.block(null, statements, none),
    );
  }

  /** Exports a function under a name. */
  exportFunction(name: string, as: string): void {
    this.module.addFunctionExport(name, as);
  }

  /** Validates and encodes the module, then frees it. `optimize` runs Binaryen's size passes on the code. */
  finish(optimize: boolean): Uint8Array {
    assert(!this.disposed, 'module already finished');
    try {
      if (!this.module.validate()) throw internalError('generated code does not validate');
      if (optimize) {
        this.binaryen.setOptimizeLevel(2);
        this.binaryen.setShrinkLevel(1);
        this.binaryen.setFastMath(false);
        this.module.runPasses(['simplify-locals-nostructure', 'vacuum', 'coalesce-locals', 'reorder-locals']);
      }
      return this.module.emitBinary();
    } finally {
      this.disposed = true;
      this.module.dispose();
    }
  }

  private wasmType(type: WasmType): number {
    return this.binaryen[type];
  }
}
