import { sizeOf } from '../ir/type.js';
import { importAffineChannel } from './import-paddle-normalize.js';
import { lowerAffineChannel } from './lowering/convolution.js';
import { defineOp } from './op.js';
import { normalizeAxis, realTypeOf, show, tensorAt } from './shapes.js';

/** `axis` is the channel dimension. */
type AffineAttrs = { readonly axis: number };

export const affineChannel = defineOp<AffineAttrs>({
  name: 'affine_channel',
  doc: 'x * scale[C] + bias[C] along the channel axis; made from batch_norm',
  inputs: [3, 3],
  quant: 'float-only',
  lower: lowerAffineChannel,
  infer(attrs, inputs) {
    const { shape } = realTypeOf(inputs, 0);
    const channels = shape[normalizeAxis(attrs.axis, shape.length)];
    for (const i of [1, 2]) {
      const own = realTypeOf(inputs, i).shape;
      if (own.length !== 1 || own[0] !== channels) throw new Error(`parameter ${show(own)} for ${channels} channels`);
    }
    return [{ dtype: 'f32', shape }];
  },
  reference(attrs, inputs) {
    const [x, scale, bias] = [0, 1, 2].map((i) => tensorAt(inputs, i).data) as [
      Float32Array,
      Float32Array,
      Float32Array,
    ];
    const { shape } = tensorAt(inputs, 0).type;
    const channels = shape[attrs.axis] as number;
    const inner = sizeOf(shape.slice(attrs.axis + 1));
    const data = new Float32Array(x.length);
    for (let i = 0; i < data.length; i++) {
      const c = Math.floor(i / inner) % channels;
      data[i] = (x[i] as number) * (scale[c] as number) + (bias[c] as number);
    }
    return [{ type: { dtype: 'f32', shape }, data }];
  },
  paddle: { affine_channel: importAffineChannel },
});
