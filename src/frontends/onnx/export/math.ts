import { ACTIVATION_OPS, type Activation } from '../../../quant/activation.js';
import { writeActivation } from './activations.js';
import { type NodeExporter, same } from './node-export.js';

/** Ops whose ONNX twin has the same operands and no attributes. */
const TWINS: Readonly<Record<string, string>> = {
  abs: 'Abs',
  ceil: 'Ceil',
  cos: 'Cos',
  erf: 'Erf',
  exp: 'Exp',
  floor: 'Floor',
  log: 'Log',
  negative: 'Neg',
  reciprocal: 'Reciprocal',
  round: 'Round',
  sign: 'Sign',
  sin: 'Sin',
  sqrt: 'Sqrt',
  prelu: 'PRelu',
  elementwise_add: 'Add',
  elementwise_sub: 'Sub',
  elementwise_mul: 'Mul',
  elementwise_div: 'Div',
  elementwise_max: 'Max',
  elementwise_min: 'Min',
  elementwise_pow: 'Pow',
  elementwise_mod: 'Mod',
  equal: 'Equal',
  less_than: 'Less',
  less_equal: 'LessOrEqual',
  logical_and: 'And',
  logical_or: 'Or',
  logical_xor: 'Xor',
  logical_not: 'Not',
  isnan_v2: 'IsNaN',
  bitwise_and: 'BitwiseAnd',
  bitwise_or: 'BitwiseOr',
  bitwise_xor: 'BitwiseXor',
  isinf_v2: 'IsInf',
};

const activationOp =
  (kind: Activation['kind']): NodeExporter =>
  (n) =>
    void writeActivation(n.w, { ...n.attrs, kind } as unknown as Activation, n.in(0), n.outs[0]);

/** Functions of single elements. */
export const MATH: Readonly<Record<string, NodeExporter>> = {
  ...Object.fromEntries(Object.entries(TWINS).map(([op, type]) => [op, same(type)])),
  ...Object.fromEntries(ACTIVATION_OPS.map((kind) => [kind, activationOp(kind)])),
  square: (n) => void n.w.node('Mul', [n.in(0), n.in(0)], {}, n.outs[0]),
  bitwise_left_shift: same('BitShift', () => ({ direction: 'LEFT' })),
  bitwise_right_shift: same('BitShift', () => ({ direction: 'RIGHT' })),
  elementwise_fmod: same('Mod', () => ({ fmod: 1 })),
  softmax: same('Softmax', (a) => ({ axis: a.axis as number })),
};
