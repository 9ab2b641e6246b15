/** The same quantized network in two forms: quantize/dequantize pairs, or operators on codes. */
import { type Grid, Network } from './network.js';
import type { AttrSpec } from './onnx.js';

export type Form = 'qdq' | 'operator';
type Attrs = Readonly<Record<string, AttrSpec>>;

/** Codes with their grid: `real` is the value that the QDQ form made of them. */
export interface Operand {
  readonly codes: string;
  readonly params: readonly string[];
  readonly scales: readonly number[];
  readonly axis?: number;
  real?: string;
}

/** How weights are made; codes stay within 6 bits, where no kernel of onnxruntime saturates. */
export interface Weights {
  readonly dtype?: Grid['dtype'];
  readonly axis?: number;
  readonly zero?: number;
}

/** Operators of the `com.microsoft` domain; the others are ONNX's own. */
const STANDARD = new Set(['Conv', 'MatMul']);

const f32 = Math.fround;

export class QuantizedNetwork {
  readonly form: Form;
  readonly net: Network;

  constructor(form: Form, seed = 1) {
    this.form = form;
    this.net = new Network(seed);
  }

  private grid({ scale, zeroPoint, dtype }: Grid): Pick<Operand, 'params' | 'scales'> {
    return { params: this.net.params([scale], [zeroPoint], dtype), scales: [f32(scale)] };
  }

  input(name: string, shape: readonly number[], grid: Grid): Operand {
    const on = this.grid(grid);
    return { codes: this.net.op('QuantizeLinear', [this.net.input(name, shape), ...on.params]), ...on };
  }

  weights(shape: readonly number[], { dtype = 'i8', axis, zero = 0 }: Weights = {}): Operand {
    const n = shape.reduce((a, b) => a * b, 1);
    const data = Array.from({ length: n }, () => Math.round(50 * this.net.next()) + (dtype === 'u8' ? 60 : 0));
    const count = axis === undefined ? 1 : shape[axis];
    const scales = Array.from({ length: count }, () => f32(0.01 * (1.5 + this.net.next())));
    const codes = this.net.constant({ shape, dtype, data }, 'w');
    const params = this.net.params(
      scales,
      scales.map(() => zero),
      dtype,
    );
    return axis === undefined ? { codes, params, scales } : { codes, params, scales, axis };
  }

  /** The reals behind codes, as the QDQ form has them. */
  real(x: Operand): string {
    x.real ??= this.net.op('DequantizeLinear', [x.codes, ...x.params], x.axis === undefined ? {} : { axis: x.axis });
    return x.real;
  }

  /** An int32 bias for a product of x and w. */
  private bias(n: number, x: Operand, w: Operand): Operand {
    const data = Array.from({ length: n }, () => Math.round(900 * this.net.next()));
    const scales = w.scales.map((s) => f32((x.scales[0] as number) * s));
    const codes = this.net.constant({ shape: [n], dtype: 'i32', data }, 'b');
    const params = this.net.params(
      scales,
      scales.map(() => 0),
      'i32',
    );
    return w.axis === undefined ? { codes, params, scales } : { codes, params, scales, axis: 0 };
  }

  /** A node of the ONNX type on operands, its result on a grid; `bias` is the length of a bias. */
  op(type: string, operands: readonly Operand[], grid: Grid, attrs: Attrs = {}, bias = 0): Operand {
    const on = this.grid(grid);
    const [x, w] = operands as [Operand, Operand];
    const b = bias > 0 ? [this.bias(bias, x, w)] : [];
    if (this.form === 'qdq') {
      const y = this.net.op(
        type,
        [...operands, ...b].map((o) => this.real(o)),
        attrs,
      );
      return { codes: this.net.op('QuantizeLinear', [y, ...on.params]), ...on };
    }
    const read = operands.flatMap((o) => [o.codes, ...o.params]);
    const biases = b.map((o) => o.codes);
    const inputs =
      type === 'Concat'
        ? [...on.params, ...read]
        : type === 'Gemm'
          ? [...read, biases[0] ?? '', ...on.params]
          : [...read, ...on.params, ...biases];
    const name = type === 'Gemm' ? 'QGemm' : `QLinear${type}`;
    return { codes: this.net.op(name, inputs, attrs, STANDARD.has(type) ? '' : 'com.microsoft'), ...on };
  }

  /** A node that keeps the grid: on reals between a pair, or on the codes themselves. */
  move(type: string, x: Operand, attrs: Attrs = {}, further: readonly string[] = []): Operand {
    const { params, scales } = x;
    if (this.form === 'operator') return { codes: this.net.op(type, [x.codes, ...further], attrs), params, scales };
    const y = this.net.op(type, [this.real(x), ...further], attrs);
    return { codes: this.net.op('QuantizeLinear', [y, ...params]), params, scales };
  }
}
