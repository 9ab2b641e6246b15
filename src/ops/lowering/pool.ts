import { type PoolParams, poolKernel } from '../../codegen/kernels/pool.js';
import { type LowerContext, laneStorage, NO_HALO, refOf, type View } from '../../codegen/lowering.js';
import { isCodes, type Quant, scaleAt } from '../../ir/type.js';
import { codeBounds } from '../../quant/bounds.js';
import { type PoolAttrs, poolWindow } from '../pool-shared.js';
import { codeStorageOf } from './epilogue.js';

const pixels = (v: View) => ({ pix: v.strides[3] as number, row: v.strides[2] as number });

/** pool2d: one kernel call per image. */
export function lowerPool(context: LowerContext, attrs: PoolAttrs): void {
  const x = context.input(0, { nhwc: NO_HALO });
  const out = context.output();
  const window = poolWindow(attrs, x.shape);
  const q = isCodes(context.outputType()) ? (context.outputType().quant as Quant) : null;
  const params: PoolParams = {
    kind: attrs.poolType === 'avg' ? 'average' : 'max',
    input: laneStorage(x),
    output: q ? { storage: codeStorageOf(out), rounding: q.rounding } : { storage: 'f32' },
    channels: x.shape[1] as number,
    height: x.shape[2] as number,
    width: x.shape[3] as number,
    source: pixels(x),
    outHeight: out.shape[2] as number,
    outWidth: out.shape[3] as number,
    target: pixels(out),
    window: window.ksize as PoolParams['window'],
    stride: window.strides as PoolParams['stride'],
    dilation: window.dilations as PoolParams['dilation'],
    pads: window.pads as PoolParams['pads'],
    countIncludePad: attrs.countIncludePad,
    clamp: false,
  };
  const args = averageArgs(context, params, q);
  for (let n = 0; n < (x.shape[0] as number); n++) {
    const from = refOf(x, n * (x.strides[0] as number));
    const to = refOf(out, n * (out.strides[0] as number));
    context.task();
    context.call(poolKernel, params, [from, to, ...args]);
  }
}

/** For averages of codes: the factor per number of counted elements, f32(s_x / (n * s_y)), and the bounds. */
function averageArgs(context: LowerContext, p: PoolParams, q: Quant | null) {
  if (p.kind === 'max' || p.input === 'f32') return [];
  const sx = scaleAt(context.inputType(0).quant as Quant, 0);
  const sy = q ? scaleAt(q, 0) : 1;
  const factors = Float32Array.from({ length: p.window[0] * p.window[1] + 1 }, (_, n) => (n === 0 ? 0 : sx / (n * sy)));
  return [context.data(factors), ...(q ? codeBounds(q) : [])];
}
