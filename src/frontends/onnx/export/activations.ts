import type { Activation } from '../../../quant/activation.js';
import type { OnnxWriter, WrittenAttrs } from './writer.js';

const float = (value: number): { readonly float: number } => ({ float: value });

/** Writes an activation of a value; gives the result's name. */
export function writeActivation(w: OnnxWriter, a: Activation, x: string, output?: string): string {
  const as = (type: string, attrs: WrittenAttrs = {}): string => w.node(type, [x], attrs, output);
  switch (a.kind) {
    case 'relu':
      return as('Relu');
    case 'relu6':
      return w.node('Clip', [x, w.float(0), w.float(6)], {}, output);
    case 'clip':
      return w.node('Clip', [x, bound(w, a.min), bound(w, a.max)], {}, output);
    case 'hard_swish':
      return hardSwish(w, a, x, output);
    case 'hard_sigmoid':
      return as('HardSigmoid', { alpha: float(a.slope), beta: float(a.offset) });
    case 'leaky_relu':
      return as('LeakyRelu', { alpha: float(a.alpha) });
    case 'sigmoid':
      return as('Sigmoid');
    case 'swish':
      return w.node('Mul', [x, w.node('Sigmoid', [x])], {}, output);
    case 'tanh':
      return as('Tanh');
    case 'gelu':
      return as('Gelu');
    case 'gelu_tanh':
      return as('Gelu', { approximate: 'tanh' });
    case 'softplus':
      return as('Softplus');
    case 'softsign':
      return as('Softsign');
    case 'mish':
      return as('Mish');
    case 'elu':
      return as('Elu', { alpha: float(a.alpha) });
    case 'celu':
      return as('Celu', { alpha: float(a.alpha) });
    case 'selu':
      return as('Selu', { alpha: float(a.alpha), gamma: float(a.scale) });
    case 'thresholded_relu':
      return as('ThresholdedRelu', { alpha: float(a.threshold) });
    case 'shrink':
      return as('Shrink', { lambd: float(a.lambd), bias: float(a.bias) });
    default:
      return a satisfies never;
  }
}

/** A bound of Clip; none where it does not limit. */
const bound = (w: OnnxWriter, value: number): string => (Number.isFinite(value) ? w.float(value) : '');

function hardSwish(w: OnnxWriter, a: Activation & { kind: 'hard_swish' }, x: string, output?: string): string {
  if (a.threshold === 6 && a.scale === 6 && a.offset === 3) return w.node('HardSwish', [x], {}, output);
  const gate = w.node('Clip', [w.node('Add', [x, w.float(a.offset)]), w.float(0), w.float(a.threshold)]);
  return w.node('Div', [w.node('Mul', [x, gate]), w.float(a.scale)], {}, output);
}
