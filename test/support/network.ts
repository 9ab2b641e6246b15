/** Writes small float and fake-quantized ONNX networks for tests, layer by layer, with seeded weights. */
import { type AttrSpec, type ModelSpec, model, type NodeSpec, type TensorSpec } from './onnx.js';

/** A grid for activations: u8 or s8 with scale and zero point. */
export interface Grid {
  readonly dtype: 'u8' | 'i8';
  readonly scale: number;
  readonly zeroPoint: number;
}

/** Seeded numbers in [-1, 1). */
export function random(seed: number): () => number {
  let state = seed >>> 0 || 1;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2147483648 - 1;
  };
}

export class Network {
  private readonly nodes: NodeSpec[] = [];
  private readonly initializers: Record<string, TensorSpec> = {};
  private readonly inputs: Record<string, readonly number[]> = {};
  private count = 0;
  readonly next: () => number;

  constructor(seed = 1) {
    this.next = random(seed);
  }

  private fresh(prefix: string): string {
    return `${prefix}${this.count++}`;
  }

  input(name: string, shape: readonly number[]): string {
    this.inputs[name] = shape;
    return name;
  }

  constant(spec: TensorSpec, prefix = 'c'): string {
    const name = this.fresh(prefix);
    this.initializers[name] = spec;
    return name;
  }

  /** A float constant of seeded values in [-range, range). */
  values(shape: readonly number[], range = 1): string {
    const n = shape.reduce((a, b) => a * b, 1);
    return this.constant({ shape, data: Array.from({ length: n }, () => range * this.next()) });
  }

  ints(values: readonly number[]): string {
    return this.constant({ shape: [values.length], dtype: 'i64', data: values });
  }

  /** Adds a node; gives its first output. */
  op(op: string, inputs: readonly string[], attrs: Readonly<Record<string, AttrSpec>> = {}, domain = ''): string {
    const output = this.fresh('v');
    this.nodes.push({ op, name: `${op}_${output}`, inputs, outputs: [output], attrs, domain });
    return output;
  }

  /** Scales and zero points as constants. */
  params(scale: readonly number[], zeroPoint: readonly number[], dtype: 'u8' | 'i8' | 'i32'): string[] {
    const shape = scale.length === 1 ? [] : [scale.length];
    return [this.constant({ shape, data: scale }, 's'), this.constant({ shape, dtype, data: zeroPoint }, 'z')];
  }

  /** QuantizeLinear and DequantizeLinear on a value. */
  fake(x: string, grid: Grid): string {
    const params = this.params([grid.scale], [grid.zeroPoint], grid.dtype);
    return this.op('DequantizeLinear', [this.op('QuantizeLinear', [x, ...params]), ...params]);
  }

  /** Quantized weights, `range` of the code range: int8 (per axis where `axis` is given) or uint8 codes with a zero point, dequantized. */
  weights(
    shape: readonly number[],
    options: { axis?: number; u8?: boolean; scale?: number; range?: number } = {},
  ): string {
    const n = shape.reduce((a, b) => a * b, 1);
    const u8 = options.u8 ?? false;
    const data = Array.from({ length: n }, () =>
      Math.round(127.5 * (options.range ?? 1) * this.next() + (u8 ? 127.5 : -0.5)),
    );
    const codes = this.constant({ shape, dtype: u8 ? 'u8' : 'i8', data: data.map((v) => Math.max(u8 ? 0 : -128, v)) });
    const channels = options.axis === undefined ? 1 : shape[options.axis];
    const scales = Array.from({ length: channels }, () => (options.scale ?? 0.01) * (1.5 + this.next()));
    const zeros = scales.map(() => (u8 ? 121 : 0));
    const attrs: Record<string, AttrSpec> = options.axis === undefined ? {} : { axis: options.axis };
    return this.op('DequantizeLinear', [codes, ...this.params(scales, zeros, u8 ? 'u8' : 'i8')], attrs);
  }

  /** The model with these outputs as plain data. */
  spec(outputs: readonly string[], opset = 17): ModelSpec {
    const { nodes, initializers, inputs } = this;
    const open = Object.fromEntries(outputs.map((name) => [name, { shape: null }]));
    return { nodes, initializers, inputs, outputs: open, opset, opsets: { 'com.microsoft': 1 } };
  }

  /** The bytes of the model with these outputs. */
  bytes(outputs: readonly string[], opset = 17): Uint8Array {
    return model({ ...this.spec(outputs, opset), outputs });
  }
}
