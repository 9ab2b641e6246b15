import { type Tensor, type TensorData, tensor } from '../../../ir/tensor.js';
import { type DType, isCodes, type Quant, type TensorType } from '../../../ir/type.js';
import { AttributeType, DataType } from '../proto.js';

const ELEMENT: Readonly<Record<DType, number>> = {
  f32: DataType.FLOAT,
  i8: DataType.INT8,
  u8: DataType.UINT8,
  i32: DataType.INT32,
  i64: DataType.INT64,
  bool: DataType.BOOL,
};

/** The number of an element type in a file. */
export const elementOf = (dtype: DType): number => ELEMENT[dtype];

/** An attribute: integers and lists of them, strings; `{ float }` and `{ floats }` for other numbers. */
export type WrittenAttr = number | string | readonly number[] | { readonly float: number };

function attributeProto(name: string, value: WrittenAttr): object {
  if (typeof value === 'string') return { name, type: AttributeType.STRING, s: new TextEncoder().encode(value) };
  if (typeof value === 'number') return { name, type: AttributeType.INT, i: value };
  if ('float' in value) return { name, type: AttributeType.FLOAT, f: value.float };
  return { name, type: AttributeType.INTS, ints: value };
}

const bytesOf = ({ buffer, byteOffset, byteLength }: TensorData): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);

/** The attributes of a node by name. */
export type WrittenAttrs = Readonly<Record<string, WrittenAttr | undefined>>;

/** Collects the nodes and initializers of an ONNX graph. Names that it makes are unique. */
export class OnnxWriter {
  readonly nodes: object[] = [];
  readonly initializers: object[] = [];
  private readonly taken: Set<string>;
  private readonly scalars = new Map<string, string>();
  /** The name of the source node that is being written, for the names of the nodes. */
  origin = '';

  constructor(taken: Iterable<string>) {
    this.taken = new Set(taken);
  }

  /** A name that nothing has yet. */
  fresh(wanted: string): string {
    let name = wanted;
    for (let i = 1; this.taken.has(name); i++) name = `${wanted}_${i}`;
    this.taken.add(name);
    return name;
  }

  /** Writes a node; `output` is a name that is ready to be taken, or undefined for one made from the type. */
  node(
    type: string,
    inputs: readonly string[],
    attrs: WrittenAttrs = {},
    output = this.fresh(`${this.origin || 'qc'}/${type}`),
  ): string {
    this.multi(type, inputs, attrs, [output]);
    return output;
  }

  /** Writes a node with several outputs. */
  multi(type: string, inputs: readonly string[], attrs: WrittenAttrs, outputs: readonly string[]): void {
    const attribute = Object.entries(attrs).flatMap(([name, value]) =>
      value === undefined ? [] : [attributeProto(name, value)],
    );
    const name = `${this.origin === '' ? type : `${this.origin}/${type}`}_${this.nodes.length}`;
    this.nodes.push({ name, opType: type, input: inputs, output: outputs, attribute });
  }

  /** Writes an initializer under a name that is like `wanted`. */
  constant({ type, data }: Tensor, wanted: string): string {
    const name = this.fresh(wanted);
    this.initializers.push({ name, dims: type.shape, dataType: elementOf(type.dtype), rawData: bytesOf(data) });
    return name;
  }

  private shared(dtype: DType, shape: readonly number[], data: TensorData, wanted: string): string {
    const key = `${dtype} ${shape} ${Array.from(data, String).join()}`;
    const known = this.scalars.get(key);
    if (known !== undefined) return known;
    const name = this.constant(tensor({ dtype, shape }, data), wanted);
    this.scalars.set(key, name);
    return name;
  }

  /** A list of integers as an initializer: shapes, axes. */
  ints(values: readonly number[]): string {
    return this.shared('i64', [values.length], BigInt64Array.from(values, BigInt), 'ints');
  }

  /** A float as an initializer without dimensions. */
  float(value: number): string {
    return this.shared('f32', [], Float32Array.of(value), 'float');
  }

  /** A list of floats as an initializer. */
  floats(values: readonly number[]): string {
    return this.shared('f32', [values.length], Float32Array.from(values), 'floats');
  }

  /** Scales and zero points of a grid. */
  private grid({ axis, scales, zeroPoints, dtype }: Quant): string[] {
    const shape = axis === null ? [] : [scales.length];
    const zeros =
      dtype === 'i8'
        ? Int8Array.from(zeroPoints)
        : dtype === 'u8'
          ? Uint8Array.from(zeroPoints)
          : Int32Array.from(zeroPoints);
    return [
      this.shared('f32', shape, Float32Array.from(scales), 'scale'),
      this.shared(dtype, shape, zeros, 'zero_point'),
    ];
  }

  /** QuantizeLinear and DequantizeLinear of a value on a per-tensor grid. */
  fake(x: string, quant: Quant, output?: string): string {
    const params = this.grid(quant);
    const codes = this.node('QuantizeLinear', [x, ...params], {}, this.fresh(`${x}/codes`));
    return this.node('DequantizeLinear', [codes, ...params], {}, output ?? this.fresh(`${x}/rounded`));
  }

  /** A constant as reals: codes stand behind a DequantizeLinear. */
  reals(value: Tensor, wanted: string): string {
    const { quant, dtype, shape } = value.type;
    const name = this.constant(isCodes(value.type) ? { type: { dtype, shape }, data: value.data } : value, wanted);
    if (!quant || !isCodes(value.type)) return name;
    const axis = quant.axis === null ? {} : { axis: quant.axis };
    return this.node('DequantizeLinear', [name, ...this.grid(quant)], axis, this.fresh(`${wanted}/real`));
  }
}

/** The type of an input or output in a file. */
export const valueInfo = (name: string, { dtype, shape }: TensorType): object => ({
  name,
  type: { tensorType: { elemType: elementOf(dtype), shape: { dim: shape.map((d) => ({ dimValue: d })) } } },
});
