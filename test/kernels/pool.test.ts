import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { STORAGE_BYTES } from '../../src/codegen/kernel.js';
import { type PoolParams, poolKernel } from '../../src/codegen/kernels/pool.js';
import { windowGroups } from '../../src/codegen/kernels/pool-windows.js';
import { checkKernel, codesFor, randomFloats, TestMemory } from '../support/kernel-memory.js';

/** What is pooled, and the storages of input and output. */
const KINDS = {
  'max-i16': ['max', 'i16', 'i16'],
  'max-i16-clamp': ['max', 'i16', 'i16'],
  'max-i8': ['max', 'i8', 'i8'],
  'max-i8-clamp': ['max', 'i8', 'i16'],
  'max-f32': ['max', 'f32', 'f32'],
  'average-i16': ['average', 'i16', 'i16'],
  'average-i16-f32': ['average', 'i16', 'f32'],
  'average-i8': ['average', 'i8', 'i8'],
  'average-i8-f32': ['average', 'i8', 'f32'],
  'average-f32': ['average', 'f32', 'f32'],
} as const;
type Kind = keyof typeof KINDS;

interface Geometry {
  readonly size: readonly [number, number];
  readonly channels: number;
  readonly window: readonly [number, number];
  readonly stride?: readonly [number, number];
  readonly dilation?: readonly [number, number];
  readonly pads?: readonly [number, number, number, number];
  readonly includePad?: boolean;
  /** Extra elements between pixels and rows, of source and target. */
  readonly gap?: number;
  readonly ceil?: boolean;
}

function paramsOf(kind: Kind, g: Geometry, rounding: 'even' | 'away'): PoolParams {
  const { stride = [1, 1], dilation = [1, 1], pads = [0, 0, 0, 0], gap = 0 } = g;
  const out = ([0, 1] as const).map((axis) => {
    const reach = g.size[axis] + pads[axis] + pads[axis + 2]! - (g.window[axis] - 1) * dilation[axis] - 1;
    const n = (g.ceil ? Math.ceil(reach / stride[axis]) : Math.floor(reach / stride[axis])) + 1;
    // windows that start in the padding behind the image are dropped
    return (n - 1) * stride[axis] >= g.size[axis] + pads[axis] ? n - 1 : n;
  });
  const pix = g.channels + gap;
  const strides = (width: number) => ({ pix, row: width * pix + 3 * gap });
  const [pooling, input, storage] = KINDS[kind];
  return {
    kind: pooling,
    input,
    output: storage === 'f32' ? { storage } : { storage, rounding },
    channels: g.channels,
    height: g.size[0],
    width: g.size[1],
    source: strides(g.size[1]),
    outHeight: out[0]!,
    outWidth: out[1]!,
    target: strides(out[1]!),
    window: g.window,
    stride,
    dilation,
    pads,
    countIncludePad: g.includePad ?? false,
    clamp: kind.endsWith('clamp'),
  };
}

function check(p: PoolParams, seed: number): Uint8Array {
  const n = p.height * p.source.row;
  const memory = new TestMemory(16, seed);
  memory.space(256, 4); // pointers start before the image where windows are clipped
  const source = memory.tensor(p.input, p.input === 'f32' ? randomFloats(n, seed, 9) : codesFor(p.input, n, seed));
  const args = [source, memory.space(p.outHeight * p.target.row, STORAGE_BYTES[p.output.storage])];
  if (p.kind === 'average' && p.input !== 'f32')
    args.push(
      memory.f32(Array.from({ length: p.window[0] * p.window[1] + 1 }, (_, i) => (0.7 + (seed % 3) * 0.15) / i)),
    );
  if (p.output.storage !== 'f32' && (p.kind === 'average' || p.clamp))
    args.push(seed % 2 && p.input === 'i16' ? -100 : 0, 127);
  return checkKernel(poolKernel, p, memory, args);
}

/** Dilated windows may miss a small image wholly: the kernel refuses that. */
function windowsTouch(p: PoolParams): boolean {
  try {
    return windowGroups(p, 0).length > 0 && windowGroups(p, 1).length > 0;
  } catch {
    return false;
  }
}

const GEOMETRIES: Record<string, Geometry> = {
  'ResNet 3x3 stride 2': { size: [12, 13], channels: 64, window: [3, 3], stride: [2, 2], pads: [1, 1, 1, 1] },
  '2x2 stride 2': { size: [8, 6], channels: 20, window: [2, 2], stride: [2, 2] },
  'same 3x3': { size: [5, 7], channels: 9, window: [3, 3], pads: [1, 1, 1, 1] },
  'same 3x3 with padding counted': { size: [5, 7], channels: 3, window: [3, 3], pads: [1, 1, 1, 1], includePad: true },
  'ceil mode, padding counted': {
    size: [6, 7],
    channels: 33,
    window: [3, 3],
    stride: [2, 2],
    pads: [1, 1, 1, 1],
    includePad: true,
    ceil: true,
  },
  'large same window': { size: [9, 8], channels: 40, window: [7, 7], pads: [3, 3, 3, 3], gap: 5 },
  global: { size: [7, 7], channels: 71, window: [7, 7] },
  'global over a large plane': { size: [30, 31], channels: 5, window: [30, 31] },
  'one row': { size: [1, 20], channels: 8, window: [1, 5], stride: [1, 3], pads: [0, 2, 0, 2] },
  'window beyond the image on both sides': { size: [2, 2], channels: 4, window: [5, 5], pads: [2, 2, 2, 2] },
};

for (const kind of Object.keys(KINDS) as Kind[]) {
  for (const [name, g] of Object.entries(GEOMETRIES)) {
    test(`${kind}: ${name}`, () => {
      for (const rounding of ['even', 'away'] as const) check(paramsOf(kind, g, rounding), g.channels);
    });
  }

  test(`${kind}: random geometries`, () => {
    const pair = (min: number, max: number) => fc.tuple(fc.integer({ min, max }), fc.integer({ min, max }));
    const cases = fc
      .record({
        size: pair(1, 12),
        channels: fc.integer({ min: 1, max: 75 }),
        window: pair(1, 5),
        stride: pair(1, 3),
        dilation: pair(1, 2),
        pad: fc.array(fc.nat(10), { minLength: 4, maxLength: 4 }),
        includePad: fc.boolean(),
        ceil: fc.boolean(),
        gap: fc.nat(3),
      })
      .map((c) => {
        const pads = c.pad.map((v, i) => v % c.window[i % 2]!) as [number, number, number, number];
        return { ...c, pads };
      });
    fc.assert(
      fc.property(cases, fc.nat(99), (g, seed) => {
        const p = paramsOf(kind, g, seed % 2 ? 'even' : 'away');
        fc.pre(p.outHeight > 0 && p.outWidth > 0);
        fc.pre(windowsTouch(p));
        check(p, seed);
      }),
      { numRuns: 60, seed: 3 },
    );
  });
}

test('average rounds ties by the mode', () => {
  for (const [rounding, want] of [
    ['even', [0, 2, -2, 4]],
    ['away', [1, 2, -2, 4]],
  ] as const) {
    const g = { size: [1, 2], channels: 4, window: [1, 2] } as const;
    const memory = new TestMemory(1, 1);
    const args = [memory.i16([1, 1, -1, 3, 0, 2, -2, 4]), memory.space(4, 2), memory.f32([0, 1, 0.5]), -128, 127];
    const out = checkKernel(poolKernel, paramsOf('average-i16', g, rounding), memory, args);
    assert.equal([...new Int16Array(out.buffer, args[1], 4)], want);
  }
});

test.run();
