import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Epilogue, KernelDef, Storage } from '../../src/codegen/kernel.js';
import {
  epilogueArgumentNames,
  epilogueArguments,
  epilogueName,
  epilogueReference,
  epilogueSignature,
} from '../../src/codegen/kernels/epilogue.js';
import { CodeRounder, EpilogueEmitter } from '../../src/codegen/kernels/epilogue-emit.js';
import { applyActivation } from '../../src/quant/activation.js';
import { roundToCode } from '../../src/quant/requantize.js';
import { ACTIVATIONS, CODES, FLOAT, placeEpilogue, REALS, REQUANTIZE, SMALL_CODES } from '../support/epilogue-cases.js';
import { checkKernel, compileFunction, randomInts, TestMemory } from '../support/kernel-memory.js';

interface ProbeParams {
  readonly columns: number;
  readonly pixels: number;
  readonly outPix: number;
  readonly epilogue: Epilogue;
}

/** An epilogue alone: arguments [sums, out, ...]; sums are i32 or f32 [pixels][columns rounded up to 4]. */
const probe: KernelDef<ProbeParams> = {
  name: (p) => `probe-${epilogueName(p.epilogue)}`,
  signature: (p) => ({ params: ['i32', 'i32', ...epilogueSignature(p.epilogue)] }),
  emit: (f, p) => {
    const emitter = new EpilogueEmitter(f, p.epilogue, 2);
    const vectors = Math.ceil(p.columns / 4);
    const sums = Array.from({ length: p.pixels }, () => f.vectors(vectors));
    const add = (a: Parameters<typeof f.op>[2], b: Parameters<typeof f.op>[2]) =>
      p.epilogue.sum === 'i32' ? f.op('i32x4', 'add', a, b) : f.op('f32x4', 'add', a, b);
    return [
      ...emitter.setup,
      ...sums.flatMap((row, r) =>
        row.map((sum, v) =>
          sum.set(add(emitter.start(emitter.addresses, v), f.load(f.param(0, 'i32'), (r * vectors + v) * 16))),
        ),
      ),
      ...emitter.finish({
        sums,
        columns: p.columns,
        pointers: emitter.addresses,
        out: f.param(1, 'i32'),
        outPix: p.outPix,
      }),
    ];
  },
  reference: (p, memory, [sums, out, ...rest]) => {
    const view = new DataView(memory);
    const end = epilogueReference(p.epilogue, view, rest);
    const width = Math.ceil(p.columns / 4) * 4;
    for (let x = 0; x < p.pixels; x++)
      for (let column = 0; column < p.columns; column++) {
        const at = sums! + (x * width + column) * 4;
        const sum =
          p.epilogue.sum === 'i32'
            ? (end.start(column) + view.getInt32(at, true)) | 0
            : Math.fround(end.start(column) + view.getFloat32(at, true));
        end.finish(sum, { y: 0, x, column }, out!, x * p.outPix + column);
      }
  },
};

interface ProbeCase {
  readonly columns: number;
  readonly ties: boolean;
  readonly seed: number;
  /** Largest |sum|. */
  readonly limit: number;
  readonly scale: number;
  readonly bounds?: readonly [number, number];
}

function checkProbe(epilogue: Epilogue, c: ProbeCase): void {
  const params: ProbeParams = { columns: c.columns, pixels: 3, outPix: c.columns + (c.seed % 3), epilogue };
  const memory = new TestMemory(1, c.seed);
  const next = randomInts(c.seed);
  const n = params.pixels * Math.ceil(c.columns / 4) * 4;
  const sums = memory.space(n, 4);
  const values = Array.from({ length: n }, () => ((next() % 2001) / 1000 - 1) * c.limit);
  if (epilogue.sum === 'i32') new Int32Array(memory.bytes.buffer, sums, n).set(values.map(Math.trunc));
  // multiples of 1/4: ties occur
  else new Float32Array(memory.bytes.buffer, sums, n).set(values.map((v) => (c.ties ? Math.round(v * 4) / 4 : v)));
  const out = memory.space(params.pixels * params.outPix, 4);
  const rest = placeEpilogue(memory, epilogue, { ...c, rows: 1, cols: params.pixels });
  checkKernel(probe, params, memory, [sums, out, ...rest]);
}

const residual = (storage: Storage, columns: number) => ({ storage, pix: columns + 1, row: 0 });

test('arguments are listed in one order, and only those that apply', () => {
  const e: Epilogue = { ...REQUANTIZE, residual: residual('i16', 4), activation: { kind: 'tanh' } };
  assert.equal(epilogueSignature(e), ['i32', 'i32', 'i32', 'f32', 'i32', 'i32', 'f32']);
  assert.equal(epilogueArgumentNames(FLOAT), ['bias']);
  const args = { bias: 'b', scale: 's', residual: 'r', residualScale: 2, lo: -1, hi: 3, outputScale: 4 };
  assert.equal(epilogueArguments(e, args), ['b', 's', 'r', 2, -1, 3, 4]);
  assert.equal(epilogueArguments(REQUANTIZE, args), ['b', 's', -1, 3]);
  assert.throws(() => epilogueArguments(REQUANTIZE, { bias: 1 }), /argument scale is missing/);
});

test('every number of columns is stored, and nothing behind them', () => {
  for (let columns = 1; columns <= 16; columns++) {
    for (const output of [CODES, SMALL_CODES])
      checkProbe({ ...REQUANTIZE, output }, { columns, ties: true, seed: columns, limit: 400, scale: 0.5 });
    checkProbe(FLOAT, { columns, ties: false, seed: columns, limit: 400, scale: 1 });
  }
});

test('all combinations of bias, residual, rounding, proof and output agree with the reference', () => {
  let seed = 1;
  for (const bias of ['none', 'i32', 'f32'] as const)
    for (const storage of [null, 'i8', 'i16', 'f32'] as const)
      for (const output of [
        REALS,
        CODES,
        SMALL_CODES,
        { ...SMALL_CODES, rounding: 'away', proven: false },
        { ...CODES, rounding: 'away' },
        { ...CODES, proven: false },
        { ...CODES, rounding: 'away', proven: false },
      ] as const)
        for (const ties of [false, true]) {
          seed++;
          const e: Epilogue = { sum: 'i32', bias, residual: storage && residual(storage, 8), activation: null, output };
          checkProbe(e, { columns: 8, ties, seed, limit: 600, scale: 0.5 });
          if (bias !== 'i32') checkProbe({ ...e, sum: 'f32' }, { columns: 8, ties, seed, limit: 60, scale: 1 });
        }
});

test('every activation agrees with the reference in both storages', () => {
  for (const activation of ACTIVATIONS)
    for (const ties of [false, true]) {
      const c = { columns: 7, ties, seed: 5, limit: 3000, scale: 2 ** -8 };
      checkProbe({ ...REQUANTIZE, activation }, c);
      checkProbe({ ...REQUANTIZE, bias: 'f32', activation, output: REALS }, c);
      checkProbe({ ...FLOAT, activation }, { ...c, limit: 9 });
      checkProbe({ ...REQUANTIZE, activation, output: { ...CODES, rounding: 'away', proven: false } }, c);
    }
});

test('values beyond the range of the magic rounding are clamped where nothing is proven', () => {
  for (const rounding of ['even', 'away'] as const)
    for (const scale of [1, 1e4, 1e30])
      for (const bounds of [
        [-128, 127],
        [0, 255],
        [-255, 0],
        [5, 5],
      ] as const)
        checkProbe(
          { ...REQUANTIZE, bias: 'f32', residual: residual('f32', 8), output: { ...CODES, rounding, proven: false } },
          { columns: 8, ties: false, seed: 3, limit: 2 ** 31, scale, bounds },
        );
});

test('rounding to codes is exact for ties, their neighbours and all bounds', () => {
  const floats = new Float32Array(1);
  const bits = new Int32Array(floats.buffer);
  const values: number[] = [0, -0, 1e-40, -1e-40, 4194303, -4194303, 4194303.5, -4194303.5];
  for (let i = -1024; i <= 1024; i++)
    for (const step of [-1, 0, 1]) {
      floats[0] = i / 4;
      bits[0] = bits[0]! + (i === 0 ? 0 : step);
      values.push(floats[0]);
    }
  for (const big of [1000.5, 30000.5, 99999.5, 1048577.5, 2097151.5]) values.push(big, -big);
  while (values.length % 8 !== 0) values.push(0.5);
  const unsafe = [
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    Number.NaN,
    3e38,
    -3e38,
    2 ** 31,
    -(2 ** 31),
    2 ** 23 + 1,
  ];
  for (const rounding of ['even', 'away'] as const)
    for (const proven of [true, false]) {
      const inputs = proven ? values : [...values, ...unsafe];
      const run = compileFunction(
        { params: ['i32', 'i32'] },
        (f) => {
          const r = new CodeRounder(f, { rounding, proven, lo: f.param(0, 'i32'), hi: f.param(1, 'i32') });
          const from = f.local('i32');
          const to = f.local('i32');
          return [
            ...r.setup,
            to.set(f.i32(65536)),
            f.repeat(inputs.length / 8, [
              f.store(to, r.narrow(r.round(f.load(from)), r.round(f.load(from, 16)))),
              f.advance(from, 32),
              f.advance(to, 16),
            ]),
          ];
        },
        2,
      );
      for (const [lo, hi] of [
        [-255, 255],
        [-32768, 32767],
        [0, 127],
        [-7, 3],
      ] as const) {
        const memory = new Uint8Array(2 * 65536);
        new Float32Array(memory.buffer).set(inputs);
        const codes = new Int16Array(run(memory, [lo, hi]).buffer, 65536, inputs.length);
        inputs.forEach((x, i) => {
          const expected = roundToCode(Math.fround(x), rounding, lo, hi);
          assert.ok(
            codes[i] === expected,
            `${rounding} ${proven} [${lo}, ${hi}] ${x}: ${codes[i]}, expected ${expected}`,
          );
        });
      }
    }
});

test('activations of numbers are those of the papers', () => {
  const near = (a: number, b: number): void => assert.ok(Math.abs(a - b) < 1e-6, `${a} is not ${b}`);
  for (const x of [-7, -3, -1.25, -0.1, 0, 0.3, 2, 3, 8]) {
    near(applyActivation({ kind: 'relu' }, x), Math.max(x, 0));
    near(applyActivation({ kind: 'relu6' }, x), Math.min(Math.max(x, 0), 6));
    near(applyActivation({ kind: 'clip', min: -1, max: 1 }, x), Math.min(Math.max(x, -1), 1));
    const hardSwish = { kind: 'hard_swish', threshold: 6, scale: 6, offset: 3 } as const;
    near(applyActivation(hardSwish, x), x * Math.max(0, Math.min(1, x / 6 + 0.5)));
    near(
      applyActivation({ kind: 'hard_sigmoid', slope: 0.2, offset: 0.5 }, x),
      Math.max(0, Math.min(1, 0.2 * x + 0.5)),
    );
    near(applyActivation({ kind: 'leaky_relu', alpha: 0.1 }, x), x < 0 ? 0.1 * x : x);
    near(applyActivation({ kind: 'sigmoid' }, x), 1 / (1 + Math.exp(-x)));
    near(applyActivation({ kind: 'swish' }, x), x / (1 + Math.exp(-x)));
    near(applyActivation({ kind: 'tanh' }, x), Math.tanh(x));
  }
  near(applyActivation({ kind: 'gelu' }, 1), 0.8413447461);
  near(applyActivation({ kind: 'gelu' }, -1), -0.1586552539);
});

test('random epilogues agree with the reference', () => {
  const arbitrary = fc.record({
    sum: fc.constantFrom('i32', 'f32'),
    bias: fc.constantFrom('none', 'i32', 'f32'),
    residual: fc.constantFrom(null, 'i8', 'i16', 'f32'),
    activation: fc.option(fc.constantFrom(...ACTIVATIONS)),
    output: fc.constantFrom('f32', 'i8', 'i16'),
    rounding: fc.constantFrom('even', 'away'),
    proven: fc.boolean(),
    columns: fc.integer({ min: 1, max: 16 }),
    ties: fc.boolean(),
    seed: fc.nat(1000),
    scale: fc.constantFrom(2 ** -9, 0.01, 0.5),
    lo: fc.integer({ min: -255, max: 0 }),
    hi: fc.integer({ min: 0, max: 255 }),
  });
  fc.assert(
    fc.property(arbitrary, (c) => {
      const e: Epilogue = {
        sum: c.sum,
        bias: c.sum === 'f32' && c.bias === 'i32' ? 'none' : c.bias,
        residual: c.residual && residual(c.residual, c.columns),
        activation: c.activation,
        output: c.output === 'f32' ? REALS : { storage: c.output, rounding: c.rounding, proven: c.proven },
      };
      checkProbe(e, { ...c, limit: c.sum === 'i32' ? 3000 : 9, bounds: [c.lo, c.hi] });
    }),
    { numRuns: 150 },
  );
});

test.run();
