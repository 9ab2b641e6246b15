/**
 * Times Winograd F(2x2, 3x3) against the direct product on equal layers, call by call in turn, and prints the
 * rates and the ratio of the fastest calls.
 * Usage: tsx tools/bench/winograd.mts [i16|f32] [size channels columns]. Pin it to one core (taskset -c 1).
 */
import { loadBinaryen, ModuleBuilder } from '../../src/codegen/builder/module.js';
import { eraseKernel, type KernelDef, STORAGE_BYTES } from '../../src/codegen/kernel.js';
import { epilogueArguments } from '../../src/codegen/kernels/epilogue.js';
import { type GemmParams, gemm, packedGemmLength } from '../../src/codegen/kernels/gemm.js';
import { winograd } from '../../src/codegen/kernels/winograd.js';
import { winogradInput } from '../../src/codegen/kernels/winograd-input.js';
import {
  transformedBytes,
  type WinogradStorage,
  winogradGroups,
  winogradTiles,
  winogradWeights,
} from '../../src/codegen/kernels/winograd-weights.js';
import { WINOGRAD_TABLE } from '../../src/codegen/winograd-table.js';
import { winogradBlocks, winogradParams } from '../../src/ops/lowering/winograd.js';
import { plainEpilogue } from './plain-epilogue.js';

const PAGE = 65536;
const LAYER_MS = 1500;
const WARM_UP = 20;

const storage: WinogradStorage = process.argv[2] === 'f32' ? 'f32' : 'i16';
const BYTES = STORAGE_BYTES[storage];
const EPILOGUE = plainEpilogue(storage);

const LAYERS: readonly (readonly [size: number, channels: number, columns: number])[] = [
  [56, 64, 64],
  [28, 128, 128],
  [14, 256, 256],
  [7, 512, 512],
];

/** Kernel calls of one run: function, then arguments. */
interface Call {
  readonly def: KernelDef;
  readonly params: object;
  readonly args: readonly number[];
}

/** Both ways of one layer, on one memory. */
function plan(size: number, channels: number, columns: number): { calls: Record<string, Call[]>; pages: number } {
  let top = PAGE;
  const space = (bytes: number): number => {
    const at = top;
    top = Math.ceil((top + bytes + 4096) / 1024) * 1024;
    return at;
  };
  const padded = size + (size % 2) + 2;
  const rowStride = padded * channels;
  const [outPix, outRow] = [columns, padded * columns];
  const common = { columns, outPix, outRow, epilogue: EPILOGUE };
  const [input, output, other] = [
    space(BYTES * padded * rowStride),
    space(BYTES * size * outRow),
    space(BYTES * size * outRow),
  ];
  const epilogue = epilogueArguments(EPILOGUE, { bias: space(4 * columns), scale: space(4 * columns), lo: 0, hi: 127 });
  const taps = { ySegments: 3, xSegments: 1, length: 3 * channels, yStride: rowStride, xStride: 0 };
  const shape = {
    ...common,
    isa: 'simd' as const,
    storage,
    rows: size,
    cols: size,
    pixStride: channels,
    rowStride,
    taps,
  };
  const direct: GemmParams = { ...shape, tile: { mr: 4, nr: 8 } };
  const weights = space(BYTES * packedGemmLength(direct));
  const blocks = winogradBlocks(size, size, WINOGRAD_TABLE[storage].tiles).map((b) => ({
    ...b,
    ...winogradParams(b, { ...common, channels }, { storage, pixStride: channels, rowStride }),
  }));
  const v = space(Math.max(...blocks.map((b) => b.transformedBytes)));
  const m = space(Math.max(...blocks.map((b) => b.sumBytes)));
  const weightShape = { storage, channels, columns };
  const u = space(transformedBytes(weightShape));
  const bytes = space(9 * columns * channels * (storage === 'f32' ? 4 : 1));
  const calls = {
    direct: [{ def: eraseKernel(gemm), params: direct, args: [input, output, weights, ...epilogue] }],
    input: blocks.map((b) => ({
      def: eraseKernel(winogradInput),
      params: b.input,
      args: [input + BYTES * (b.y * rowStride + b.x * channels), v],
    })),
    product: blocks.map((b) => ({
      def: eraseKernel(winograd),
      params: b.product,
      args: [v, m, u, other + BYTES * (b.y * outRow + b.x * outPix), ...epilogue],
    })),
    weights: [
      {
        def: eraseKernel(winogradWeights),
        params: { storage },
        args: [bytes, u, winogradTiles(weightShape), winogradGroups(weightShape), 0].slice(
          0,
          storage === 'f32' ? 4 : 5,
        ),
      },
    ],
  };
  const order = blocks.flatMap((_, i) => [calls.input[i] as Call, calls.product[i] as Call]);
  return { calls: { ...calls, winograd: order }, pages: Math.ceil(top / PAGE) + 1 };
}

/** Compiles every list of calls to a function without arguments. */
async function compile(calls: Record<string, readonly Call[]>, pages: number): Promise<Record<string, () => void>> {
  const builder = new ModuleBuilder(await loadBinaryen(), { pages, relaxed: false });
  const names = new Map<string, string>();
  for (const { def, params } of Object.values(calls).flat()) {
    const key = def.name(params) + JSON.stringify(params);
    if (names.has(key)) continue;
    names.set(key, `k${names.size}`);
    builder.addFunction(`k${names.size - 1}`, def.signature(params), (f) => def.emit(f, params));
  }
  for (const [name, list] of Object.entries(calls)) {
    builder.addFunction(name, { params: [] }, (f) =>
      list.map(({ def, params, args }) =>
        f.call(
          names.get(def.name(params) + JSON.stringify(params)) as string,
          args.map((a) => f.i32(a)),
        ),
      ),
    );
    builder.exportFunction(name, name);
  }
  const module = new WebAssembly.Module(builder.finish(true) as BufferSource);
  return new WebAssembly.Instance(module, {}).exports as Record<string, () => void>;
}

/** Milliseconds of one call. */
function once(run: () => void): number {
  const start = performance.now();
  run();
  return performance.now() - start;
}

/** The fastest call of each in many interleaved ones: single calls fit between the interruptions of a busy machine. */
function fastest<K extends string>(run: Record<K, () => void>, names: readonly K[]): Record<K, number> {
  const best = Object.fromEntries(names.map((name) => [name, Number.POSITIVE_INFINITY])) as Record<K, number>;
  for (const name of names) for (let i = 0; i < WARM_UP; i++) run[name]();
  for (const start = performance.now(); performance.now() - start < LAYER_MS; )
    for (const name of names) best[name] = Math.min(best[name], once(run[name]));
  return best;
}

const NAMES = ['direct', 'winograd', 'input', 'product', 'weights'] as const;

const [size, channels, columns] = process.argv
  .slice(2)
  .filter((arg) => /^\d+$/.test(arg))
  .map(Number);
const layers = size && channels && columns ? [[size, channels, columns] as const] : LAYERS;
for (const layer of layers) {
  const { calls, pages } = plan(...layer);
  const run = await compile(calls, pages);
  const best = fastest(run as Record<(typeof NAMES)[number], () => void>, NAMES);
  const [edge, c, n] = layer;
  const rate = (ms: number): string => ((edge * edge * 9 * c * n) / ms / 1e6).toFixed(1);
  const { direct, winograd: ms, input, product, weights } = best;
  console.log(
    `${edge}x${edge} ${c}->${n}`.padEnd(18),
    `direct ${rate(direct)} winograd ${rate(ms)} GMAC/s, ratio ${(direct / ms).toFixed(2)}`,
    `| ${ms.toFixed(3)} ms: input ${((100 * input) / ms).toFixed(0)} %, product ${((100 * product) / ms).toFixed(0)} %`,
    `| weights once ${weights.toFixed(2)} ms`,
  );
}
