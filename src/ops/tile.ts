import { rowMajorStrides } from '../ir/tensor.js';
import { stridedIndices } from './broadcast.js';
import type { OnnxImporter } from './import-context.js';
import { onReals } from './import-helpers.js';
import { importTile as importPaddleTile } from './import-paddle-shape.js';
import { lowerTile } from './lowering/rearrange.js';
import { gatherElements } from './move.js';
import { defineOp } from './op.js';
import { reshaped, show, tensorAt, typeOf } from './shapes.js';

/** How often x stands along each of its dimensions. */
type TileAttrs = { readonly repeats: readonly number[] };

const importTile: OnnxImporter = (context) => {
  const { length } = context.input(0).type.shape;
  const stated = context.isComputed(1) ? context.statedShape(0, 1, length) : null;
  const times = (n: number, d: number): number => (stated && n > 0 ? (stated[d] as number) / n : 1);
  return onReals(context, (x) => {
    const repeats = stated ? x.type.shape.map(times) : (context.numbers(1) ?? []);
    return context.add('tile', { repeats }, [x]);
  });
};

export const tile = defineOp<TileAttrs>({
  name: 'tile',
  doc: 'x repeated `repeats` times along each dimension',
  inputs: [1, 1],
  quant: 'same-params',
  lower: lowerTile,
  infer(attrs, inputs) {
    const type = typeOf(inputs, 0);
    const { repeats } = attrs;
    if (repeats.length !== type.shape.length || repeats.some((r) => !Number.isInteger(r) || r < 0))
      throw new Error(`${show(type.shape)} repeated ${show(repeats)} times`);
    return [
      reshaped(
        type,
        type.shape.map((d, i) => d * (repeats[i] as number)),
      ),
    ];
  },
  reference(attrs, inputs) {
    const x = tensorAt(inputs, 0);
    const strides = rowMajorStrides(x.type.shape);
    const shape = x.type.shape.flatMap((d, i) => [attrs.repeats[i] as number, d]);
    const indices = stridedIndices(
      shape,
      strides.flatMap((s) => [0, s]),
    );
    return [
      gatherElements(
        x,
        indices,
        x.type.shape.map((d, i) => d * (attrs.repeats[i] as number)),
      ),
    ];
  },
  paddle: { tile: importPaddleTile, expand: importPaddleTile },
  onnx: { Tile: importTile },
});
