import binaryen from 'binaryen';
import type { ModuleInfo, TensorInfo } from '../../src/runtime/abi.js';

/** A small module: `y[i] = 2 x[i] + 1` over 4 floats, `n = -m` over one int64; `init` counts its calls at address 0. */
const TEXT = `(module
  (memory (export "memory") 1 1)
  (func (export "init") (i32.store (i32.const 0) (i32.add (i32.load (i32.const 0)) (i32.const 1))))
  (func (export "run") (local $i i32)
    (loop $next
      (f32.store offset=128 (local.get $i)
        (f32.add (f32.mul (f32.load offset=64 (local.get $i)) (f32.const 2)) (f32.const 1)))
      (f32.store offset=64 (local.get $i) (f32.const 0))
      (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 4))) (i32.const 16))))
    (i64.store (i32.const 48) (i64.sub (i64.const 0) (i64.load (i32.const 32))))))`;

const f32 = (name: string, offset: number, shape: number[]): TensorInfo => ({ name, dtype: 'f32', shape, offset });

/** The description of the module. */
export const INFO: ModuleInfo = {
  version: 1,
  compiler: '0.0.0-test',
  name: 'tiny',
  target: 'simd',
  entries: [
    {
      export: 'run',
      inputs: [
        { ...f32('x/in "1"', 64, [1, 4]), scale: 0.5, zeroPoint: 3 },
        { name: 'm', dtype: 'i64', shape: [], offset: 32 },
      ],
      outputs: [f32('y', 128, [1, 4]), { name: 'n', dtype: 'i64', shape: [], offset: 48 }],
    },
  ],
  memory: { pages: 1, bytes: 65536, weights: 0, activations: 96 },
  hashes: { model: '', options: '' },
  ops: [
    { id: 3, type: 'conv2d', name: 'c', int8: true, inputs: ['u8[1x4] s=0.5 zp=3'], outputs: ['u8[1x4]'] },
    { id: 5, type: 'softmax', name: '', int8: false, reason: 'softmax has no int8 form', inputs: [], outputs: [] },
  ],
};

function leb(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...leb(value >>> 7)];
}

/** A custom section as bytes. */
export function customSection(name: string, content: Uint8Array): Uint8Array {
  const body = [...leb(name.length), ...new TextEncoder().encode(name), ...content];
  return new Uint8Array([0, ...leb(body.length), ...body]);
}

/** A module from text, with a custom section `qc` that holds `info` (none where it is null). */
export function moduleBytes(info: object | null = INFO, text = TEXT): Uint8Array<ArrayBuffer> {
  const module = binaryen.parseText(text);
  module.setFeatures(binaryen.Features.All);
  const code = module.emitBinary();
  module.dispose();
  const section = info ? customSection('qc', new TextEncoder().encode(JSON.stringify(info))) : new Uint8Array();
  return new Uint8Array([...code, ...section]);
}
