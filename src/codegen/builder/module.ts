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
}

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
    this.module.setFeatures(options.relaxed === true ? base | RelaxedSIMD : base);
    this.module.setMemory(options.pages, options.pages, 'memory', []);
  }

  /** Adds a function whose body is built by `body`. Its parameters come as expressions through the builder. */
  addFunction(
    name: string,
    signature: Signature,
    body: (f: FunctionBuilder) => readonly { make: () => number }[],
  ): void {
    const f = new FunctionBuilder(this.binaryen, this.module, signature, this.style);
    const statements = body(f).map((s) => s.make());
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
