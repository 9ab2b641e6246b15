/** Casts between all dtypes, and integers at the border of the module. */
import { test } from 'uvu';
import { checkEverywhere, checkModelEverywhere } from '../support/op-everywhere.js';
import { hasOrt } from '../support/ort.js';

const TYPES = { f32: 1, u8: 2, i8: 3, i32: 6, i64: 7, bool: 9 } as const;
const NAMES = Object.keys(TYPES) as (keyof typeof TYPES)[];

if (hasOrt('casts against onnxruntime')) {
  test('from every dtype to every dtype', async () => {
    for (const from of NAMES)
      for (const to of NAMES) {
        const first = from === 'f32' && to !== 'bool' ? [-0.5, 1.5, 2.5, -2.75, 0, 100.9] : [];
        const most = from === 'u8' ? 255 : 100;
        const between = from === 'f32' && (to === 'u8' || to === 'i8') ? [0, 120] : [-most, most];
        if (to === 'u8' && from === 'f32') first.length = 0;
        await checkEverywhere(
          { op: 'Cast', attrs: { to: TYPES[to] }, inputs: [{ shape: [2, 3, 4, 5], of: from }] },
          { between: between as [number, number], first },
        );
      }
  });

  test('two casts in a row, inputs handed through', async () => {
    await checkModelEverywhere(
      {
        inputs: { a: { shape: [3, 4], dtype: 'i64' }, b: { shape: [5], dtype: 'bool' } },
        nodes: [
          { op: 'Cast', inputs: ['a'], outputs: ['c'], attrs: { to: 1 } },
          { op: 'Mul', inputs: ['c', 'c'], outputs: ['d'] },
          { op: 'Cast', inputs: ['d'], outputs: ['e'], attrs: { to: 6 } },
          { op: 'Identity', inputs: ['b'], outputs: ['f'] },
          { op: 'Identity', inputs: ['a'], outputs: ['g'] },
        ],
        outputs: ['e', 'f', 'g'],
      },
      'casts in a row',
    );
  });
}

test('codes as outputs, uint8 as input', async () => {
  await checkModelEverywhere(
    {
      inputs: { x: { shape: [1, 3, 4, 4], dtype: 'u8' } },
      initializers: {
        s: { shape: [], data: [0.25] },
        z: { shape: [], dtype: 'u8', data: [3] },
        t: { shape: [], data: [0.5] },
      },
      nodes: [
        { op: 'DequantizeLinear', inputs: ['x', 's', 'z'], outputs: ['r'] },
        { op: 'QuantizeLinear', inputs: ['r', 't', 'z'], outputs: ['y'] },
      ],
      outputs: ['y'],
    },
    'codes at the border',
    { between: [0, 255], withoutOrt: !hasOrt('codes at the border') },
  );
});

test.run();
