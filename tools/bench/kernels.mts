/**
 * Times the matrix and depthwise kernels on shapes of common networks and prints GMAC/s, one thread.
 * Usage: tsx tools/bench/kernels.mts [regular expression of names] [variants, by commas]. Pin it to one core (taskset -c 1) and trust ratios.
 */
import { loadBinaryen, ModuleBuilder } from '../../src/codegen/builder/module.js';
import { eraseKernel, type Isa, type KernelDef, type Storage } from '../../src/codegen/kernel.js';
import { type DepthwiseParams, depthwise, packDepthwise } from '../../src/codegen/kernels/depthwise.js';
import { elementsOf } from '../../src/codegen/kernels/elements.js';
import { epilogueArguments } from '../../src/codegen/kernels/epilogue.js';
import { type GemmParams, gemm, packGemm } from '../../src/codegen/kernels/gemm.js';
import type { PackedWeights } from '../../src/codegen/kernels/packed-weights.js';
import { chooseDepthwise, chooseTile } from '../../src/codegen/select.js';
import { plainEpilogue } from './plain-epilogue.js';

const PAGES = 600;
const INPUT = 1 << 20;
const OUTPUT = 16 << 20;
const WEIGHTS = 24 << 20;
const BIAS = 36 << 20;
const SCALE = BIAS + 65536;

/** How inputs and outputs are stored, and which instructions may be used. */
const VARIANTS: Readonly<Record<string, { storage: Storage; isa: Isa }>> = {
  simd: { storage: 'i16', isa: 'simd' },
  relaxed: { storage: 'i8', isa: 'relaxed' },
  f32: { storage: 'f32', isa: 'simd' },
};

/** A layer: square images, `same` padding. */
interface Layer {
  readonly size: number;
  readonly channels: number;
  /** Output channels; 0: depthwise. */
  readonly columns: number;
  readonly kernel: number;
  readonly stride: number;
}

const LAYERS: Readonly<Record<string, Layer>> = {
  'fc 1024->1024': { size: 1, channels: 1024, columns: 1024, kernel: 1, stride: 1 },
  '1x1 56x56 24->144': { size: 56, channels: 24, columns: 144, kernel: 1, stride: 1 },
  '1x1 56x56 144->24': { size: 56, channels: 144, columns: 24, kernel: 1, stride: 1 },
  '1x1 14x14 96->576': { size: 14, channels: 96, columns: 576, kernel: 1, stride: 1 },
  '1x1 14x14 576->96': { size: 14, channels: 576, columns: 96, kernel: 1, stride: 1 },
  '1x1 7x7 320->1280': { size: 7, channels: 320, columns: 1280, kernel: 1, stride: 1 },
  '3x3 56x56 64->64': { size: 56, channels: 64, columns: 64, kernel: 3, stride: 1 },
  '3x3 14x14 256->256': { size: 14, channels: 256, columns: 256, kernel: 3, stride: 1 },
  '3x3 224x224 3->32 s2': { size: 224, channels: 3, columns: 32, kernel: 3, stride: 2 },
  '7x7 224x224 3->64 s2': { size: 224, channels: 3, columns: 64, kernel: 7, stride: 2 },
  'dw 56x56x144': { size: 56, channels: 144, columns: 0, kernel: 3, stride: 1 },
  'dw 112x112x96 s2': { size: 112, channels: 96, columns: 0, kernel: 3, stride: 2 },
  'dw 14x14x576': { size: 14, channels: 576, columns: 0, kernel: 3, stride: 1 },
  'dw 5x5 14x14x480': { size: 14, channels: 480, columns: 0, kernel: 5, stride: 1 },
};

interface Bench {
  readonly def: KernelDef;
  readonly params: object;
  readonly weights: PackedWeights;
  readonly macs: number;
}

const weight = (i: number, j: number): number => ((i * 31 + j * 17) % 255) - 127;

function describe(l: Layer, { storage, isa }: { storage: Storage; isa: Isa }): Bench {
  const padded = l.size + 2 * (l.kernel >> 1);
  const out = Math.floor((padded - l.kernel) / l.stride) + 1;
  const row = padded * l.channels;
  const columns = l.columns || l.channels;
  const common = {
    storage,
    rows: out,
    cols: out,
    pixStride: l.stride * l.channels,
    rowStride: l.stride * row,
    outPix: columns,
    outRow: out * columns,
    epilogue: plainEpilogue(storage),
  };
  if (l.columns === 0) {
    const taps = { ySegments: l.kernel, xSegments: l.kernel, yStride: row, xStride: l.channels };
    const { starts, ...choice } = chooseDepthwise({
      storage,
      target: isa,
      channels: l.channels,
      taps: l.kernel ** 2,
      input: { lo: 0, hi: 127 },
      weights: { lo: -127, hi: 127 },
      shifts: true,
      weight,
    });
    const params: DepthwiseParams = { ...common, ...choice, channels: l.channels, taps };
    const macs = out * out * l.channels * l.kernel ** 2;
    return { def: eraseKernel(depthwise), params, weights: packDepthwise(params, weight, starts), macs };
  }
  const length = l.kernel * l.channels;
  const shape = {
    ...common,
    isa,
    columns,
    taps: { ySegments: l.kernel, xSegments: 1, length, yStride: row, xStride: 0 },
  };
  const params: GemmParams = { ...shape, tile: chooseTile(shape) };
  const macs = out * out * columns * l.kernel * length;
  const weights = packGemm(params, (n, s, k) => weight(n, s * length + k));
  return { def: eraseKernel(gemm), params, weights, macs };
}

/** Milliseconds of one run of each: the best of many short batches, taken in turns, so that all see the same machine. */
function time(runs: readonly (() => void)[]): number[] {
  const calls = runs.map((run) => {
    const start = performance.now();
    let n = 0;
    for (; performance.now() - start < 100; n++) run();
    return Math.max(1, Math.ceil(n / 50));
  });
  const best = runs.map(() => Number.POSITIVE_INFINITY);
  for (let round = 0; round < 150; round++)
    runs.forEach((run, i) => {
      const from = performance.now();
      for (let n = calls[i]; n > 0; n--) run();
      best[i] = Math.min(best[i], (performance.now() - from) / calls[i]);
    });
  return best;
}

/** The kernel on its data, ready to run. */
async function prepare(b: Bench, storage: Storage): Promise<() => void> {
  const builder = new ModuleBuilder(await loadBinaryen(), { pages: PAGES, relaxed: true });
  builder.addFunction('kernel', b.def.signature(b.params), (f) => b.def.emit(f, b.params));
  builder.exportFunction('kernel', 'kernel');
  const wasm = builder.finish(true);
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(wasm as BufferSource), {});
  const { buffer } = exports.memory as WebAssembly.Memory;
  const view = elementsOf(buffer, storage);
  const bytes = view.BYTES_PER_ELEMENT;
  for (let i = 0; i < (OUTPUT - INPUT) / bytes; i++) view[INPUT / bytes + i] = Math.abs(weight(i, 3));
  const { buffer: packed, byteOffset, byteLength } = b.weights;
  new Uint8Array(buffer, WEIGHTS).set(new Uint8Array(packed, byteOffset, byteLength));
  new Float32Array(buffer, SCALE, 4096).fill(1e-4);
  const kernel = exports.kernel as (...args: number[]) => void;
  const args = epilogueArguments(plainEpilogue(storage), { bias: BIAS, scale: SCALE, lo: 0, hi: 127 });
  return () => kernel(INPUT, OUTPUT, WEIGHTS, ...args);
}

const wanted = new RegExp(process.argv[2] ?? '.');
const variants = Object.entries(VARIANTS).filter(([name]) => (process.argv[3] ?? name).split(',').includes(name));
for (const [name, layer] of Object.entries(LAYERS)) {
  if (!wanted.test(name)) continue;
  const benches = variants.map(([, how]) => ({ how, bench: describe(layer, how) }));
  const times = time(await Promise.all(benches.map(({ how, bench }) => prepare(bench, how.storage))));
  const rates = times.map((ms, i) => {
    const rate = benches[i].bench.macs / ms / 1e6;
    return `${variants[i][0]} ${rate.toFixed(1).padStart(5)} GMAC/s ${ms.toFixed(3).padStart(7)} ms`;
  });
  console.log(`${name.padEnd(22)} ${rates.join('   ')}   ${(times[0] / times[1] || 1).toFixed(2)}`);
}
