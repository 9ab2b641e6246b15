/**
 * Measures the tiles of one arithmetic in this process and prints one line of JSON: rates by class and tile, GMAC/s.
 * Arguments: ARITHMETIC, milliseconds per shape and tile.
 */
import { setFlagsFromString } from 'node:v8';
import { loadBinaryen, ModuleBuilder } from '../../src/codegen/builder/module.js';
import { elementsOf } from '../../src/codegen/kernels/elements.js';
import { epilogueArguments } from '../../src/codegen/kernels/epilogue.js';
import { type GemmParams, type GemmTile, gemm, packedGemmLength } from '../../src/codegen/kernels/gemm.js';
import { type GemmArithmetic, isGrouped } from '../../src/codegen/kernels/gemm-layout.js';
import { plainEpilogue } from '../bench/plain-epilogue.js';
import { ARITHMETICS, CLASSES, candidates, grouped, type Shape, tileKey } from './shapes.js';

// what counts is optimized code; Liftoff's comes first otherwise
setFlagsFromString('--no-liftoff');
if (Number.parseInt(process.versions.node, 10) < 22) setFlagsFromString('--experimental-wasm-relaxed-simd');

const [arithmetic, milliseconds] = [process.argv[2] as GemmArithmetic, Number(process.argv[3])];
const { storage, isa } = ARITHMETICS[arithmetic];
const EPILOGUE = plainEpilogue(storage);

function paramsOf({ pixels, k, columns, segments = 1 }: Shape, tile: GemmTile): GemmParams {
  const width = Math.sqrt(pixels);
  const [pixStride, rowStride] = segments === 1 ? [k, 0] : [k / segments, (width + segments - 1) * (k / segments)];
  return {
    storage,
    isa,
    columns,
    rows: segments === 1 ? 1 : width,
    cols: segments === 1 ? pixels : width,
    taps: { ySegments: segments, xSegments: 1, length: k, yStride: rowStride, xStride: 0 },
    pixStride,
    rowStride,
    outPix: columns,
    outRow: segments === 1 ? 0 : width * columns,
    tile: { ...tile, mr: Math.min(pixels, tile.mr) },
    epilogue: EPILOGUE,
  };
}

interface Run {
  readonly macs: number;
  call(): void;
  best: number;
}

/** All tiles on one shape, ready to run on memories of their own. */
async function prepare(shape: Shape, tiles: readonly GemmTile[]): Promise<Run[]> {
  const binaryen = await loadBinaryen();
  const { pixels, k, columns, segments = 1 } = shape;
  const macs = pixels * k * columns * segments;
  return tiles.map((tile) => {
    const p = paramsOf(shape, tile);
    const [input, output] = [65536, 65536 + 4 * (pixels + 400) * k];
    const weights = output + 4 * pixels * columns + 65536;
    const arrays = weights + 4 * packedGemmLength(p) + 65536;
    const pages = Math.ceil((arrays + 65536) / 65536);
    // zeros: no column tile has extra steps
    const table = isGrouped(p) ? [arrays + 32768] : [];
    const builder = new ModuleBuilder(binaryen, { pages, relaxed: true });
    builder.addFunction('kernel', gemm.signature(p), (f) => gemm.emit(f, p));
    builder.exportFunction('kernel', 'kernel');
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(builder.finish(true) as BufferSource), {});
    const { buffer } = exports.memory as WebAssembly.Memory;
    const view = elementsOf(buffer, storage);
    for (let i = input / view.BYTES_PER_ELEMENT; i < output / view.BYTES_PER_ELEMENT; i++) view[i] = (i * 31) & 127;
    const args = epilogueArguments(EPILOGUE, { bias: arrays, scale: arrays + 16384, lo: 0, hi: 127 });
    const kernel = exports.kernel as (...args: number[]) => void;
    return { macs, best: Infinity, call: () => kernel(input, output, weights, ...table, ...args) };
  });
}

/** The fastest calls of all runs, taken in turns, so that all see the same machine. */
function time(runs: readonly Run[]): void {
  for (const run of runs) run.call();
  const end = performance.now() + milliseconds * runs.length;
  do
    for (const run of runs) {
      const start = performance.now();
      run.call();
      const first = performance.now() - start;
      const calls = Math.max(1, Math.ceil(0.2 / Math.max(first, 0.001)));
      const from = performance.now();
      for (let i = 0; i < calls; i++) run.call();
      run.best = Math.min(run.best, (performance.now() - from) / calls);
    }
  while (performance.now() < end);
}

const result: Record<string, number[]>[] = [];
for (const shapes of CLASSES) {
  const plain = candidates(shapes);
  const tiles = [...plain, ...grouped(shapes, arithmetic, plain)];
  const rates: Record<string, number[]> = {};
  for (const shape of shapes.shapes) {
    const runs = await prepare(shape, tiles);
    time(runs);
    runs.forEach(({ macs, best }, i) => {
      const key = tileKey(tiles[i] as GemmTile);
      rates[key] = [...(rates[key] ?? []), macs / best / 1e6];
    });
  }
  result.push(rates);
}
console.log(JSON.stringify({ node: process.versions.node, rates: result }));
