/**
 * Times the matrix and depthwise kernels on shapes of common networks and prints GMAC/s, one thread.
 * Usage: tsx tools/bench/kernels.mts [regular expression of names]. Pin it to one core (taskset -c 1) and trust ratios.
 */
import { loadBinaryen, ModuleBuilder } from '../../src/codegen/builder/module.js';
import { type Epilogue, type KernelDef, STORAGE_BYTES, type Storage } from '../../src/codegen/kernel.js';
import { type DepthwiseParams, depthwise, packDepthwise } from '../../src/codegen/kernels/depthwise.js';
import { epilogueArguments } from '../../src/codegen/kernels/epilogue.js';
import { chooseTile, type GemmParams, gemm, packGemm } from '../../src/codegen/kernels/gemm.js';

const PAGES = 600;
const INPUT = 1 << 20;
const OUTPUT = 16 << 20;
const WEIGHTS = 24 << 20;
const BIAS = 36 << 20;
const SCALE = BIAS + 65536;

const EPILOGUES: Readonly<Record<Storage, Epilogue>> = {
  i16: {
    sum: 'i32',
    bias: 'i32',
    residual: null,
    activation: null,
    output: { storage: 'i16', rounding: 'even', proven: true },
  },
  f32: { sum: 'f32', bias: 'f32', residual: null, activation: null, output: { storage: 'f32' } },
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
  readonly weights: Int16Array | Float32Array;
  readonly macs: number;
}

const weight = (i: number, j: number): number => ((i * 31 + j * 17) % 255) - 127;

function describe(l: Layer, storage: Storage): Bench {
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
    epilogue: EPILOGUES[storage],
  };
  if (l.columns === 0) {
    const taps = { ySegments: l.kernel, xSegments: l.kernel, yStride: row, xStride: l.channels };
    const params: DepthwiseParams = { ...common, channels: l.channels, taps };
    const macs = out * out * l.channels * l.kernel ** 2;
    return { def: depthwise as unknown as KernelDef, params, weights: packDepthwise(params, weight), macs };
  }
  const length = l.kernel * l.channels;
  const shape = { ...common, columns, taps: { ySegments: l.kernel, xSegments: 1, length, yStride: row, xStride: 0 } };
  const params: GemmParams = { ...shape, tile: chooseTile(shape) };
  const macs = out * out * columns * l.kernel * length;
  const weights = packGemm(params, (n, s, k) => weight(n, s * length + k));
  return { def: gemm as unknown as KernelDef, params, weights, macs };
}

/** Milliseconds of one run: the best of several batches. */
function time(run: () => void): number {
  const start = performance.now();
  let calls = 0;
  for (; performance.now() - start < 100; calls++) run();
  let best = Number.POSITIVE_INFINITY;
  for (let batch = 0; batch < 12; batch++) {
    const from = performance.now();
    for (let i = 0; i < Math.ceil(calls / 4); i++) run();
    best = Math.min(best, (performance.now() - from) / Math.ceil(calls / 4));
  }
  return best;
}

async function measure(b: Bench, storage: Storage): Promise<{ ms: number; bytes: number }> {
  const builder = new ModuleBuilder(await loadBinaryen(), { pages: PAGES, relaxed: false });
  builder.addFunction('kernel', b.def.signature(b.params), (f) => b.def.emit(f, b.params));
  builder.exportFunction('kernel', 'kernel');
  const wasm = builder.finish(true);
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(wasm as BufferSource), {});
  const { buffer } = exports.memory as WebAssembly.Memory;
  const view = storage === 'i16' ? new Int16Array(buffer) : new Float32Array(buffer);
  const bytes = STORAGE_BYTES[storage];
  for (let i = 0; i < (OUTPUT - INPUT) / bytes; i++) view[INPUT / bytes + i] = weight(i, 3);
  view.set(b.weights, WEIGHTS / bytes);
  new Float32Array(buffer, SCALE, 4096).fill(1e-4);
  const kernel = exports.kernel as (...args: number[]) => void;
  const args = epilogueArguments(EPILOGUES[storage], { bias: BIAS, scale: SCALE, lo: 0, hi: 127 });
  return { ms: time(() => kernel(INPUT, OUTPUT, WEIGHTS, ...args)), bytes: wasm.length };
}

const wanted = new RegExp(process.argv[2] ?? '.');
for (const [name, layer] of Object.entries(LAYERS))
  for (const storage of ['i16', 'f32'] as const) {
    const label = `${storage} ${name}`;
    if (!wanted.test(label)) continue;
    const b = describe(layer, storage);
    const { ms, bytes } = await measure(b, storage);
    const rate = (b.macs / ms / 1e6).toFixed(1);
    console.log(`${label.padEnd(26)} ${rate.padStart(6)} GMAC/s ${ms.toFixed(3).padStart(8)} ms ${bytes} bytes`);
  }
