import type { BinaryOp as BinaryKernelOp } from '../codegen/kernels/binary.js';
import { applyIntegerBinary, integerForm } from '../codegen/kernels/integers.js';
import type { Value } from '../ir/graph.js';
import type { InferInput } from '../ir/op.js';
import { allocate, type Tensor } from '../ir/tensor.js';
import { isCodes, type Quant, scaleAt, sizeOf, type TensorType } from '../ir/type.js';
import { type Activation, applyActivation, clampBounds } from '../quant/activation.js';
import { scaledSum } from '../quant/requantize.js';
import { quantizeCode } from '../quant/rounding.js';
import { toReal } from '../quant/tensors.js';
import { broadcastShape, broadcastStrides, stridedIndices } from './broadcast.js';
import { operand, operandScale } from './codes.js';
import { finisher } from './epilogue.js';
import type { ImportContext, OnnxImporter } from './import-context.js';
import { elementwise } from './import-paddle.js';
import { lowerBinary } from './lowering/elementwise.js';
import { defineOp, type Op } from './op.js';
import { asInputs, normalizeAxis, plainDtype, tensorAt, typeOf } from './shapes.js';

/** Attributes of elementwise_*: operands broadcast as in numpy, then comes the activation. */
export type ElementwiseAttrs = { readonly activation: Activation | null };

/** An elementwise function of two operands: on reals, and its integer form on codes where there is one. */
interface BinaryOp {
  readonly name: string;
  readonly doc: string;
  readonly onnx: string;
  /** How ONNX types are read, where it is not one type with two operands. */
  readonly importers?: Readonly<Record<string, OnnxImporter>>;
  /** How Paddle types are read, besides the one of the op's name. */
  readonly paddle?: Op['paddle'];
  /** The kernel's name for it, on integers too. */
  readonly kernel: BinaryKernelOp;
  real(a: number, b: number): number;
  /** The result before rounding, in quanta of a scale `unit`, of operands (value, scale) in centred codes or reals. */
  scaled?(a: number, b: number, sa: number, sb: number, unit: number): number;
}

type Inputs = readonly (Tensor | null)[];

function infer(_attrs: ElementwiseAttrs, inputs: readonly (InferInput | null)[]): TensorType[] {
  const [a, b] = [typeOf(inputs, 0), typeOf(inputs, 1)];
  const [da, db] = [plainDtype(a), plainDtype(b)];
  if (da !== db) throw new Error(`operands of dtype ${da} and ${db}`);
  if (da === 'bool') throw new Error('arithmetic on booleans');
  return [{ dtype: da, shape: broadcastShape(a.shape, b.shape) }];
}

/** For each element of the result, the elements of both operands. */
function indices(a: Tensor, b: Tensor, shape: readonly number[]): [Int32Array, Int32Array] {
  const of = (t: Tensor): Int32Array => stridedIndices(shape, broadcastStrides(t.type.shape, shape));
  return [of(a), of(b)];
}

function reference(op: BinaryOp, attrs: ElementwiseAttrs, inputs: Inputs): Tensor[] {
  const [a, b] = [tensorAt(inputs, 0), tensorAt(inputs, 1)];
  const type = infer(attrs, asInputs(inputs))[0] as TensorType;
  const [ia, ib] = indices(a, b, type.shape);
  const data = allocate(type.dtype, sizeOf(type.shape));
  if (type.dtype !== 'f32') {
    const at = (t: Tensor, i: number): bigint => BigInt(t.data[i] as number | bigint);
    const whole = integerForm(op.kernel);
    for (let i = 0; i < data.length; i++) {
      const v = applyIntegerBinary(whole, at(a, ia[i] as number), at(b, ib[i] as number));
      data[i] = type.dtype === 'i64' ? v : Number(BigInt.asIntN(32, v));
    }
    return [{ type, data }];
  }
  const { activation } = attrs;
  for (let i = 0; i < data.length; i++) {
    const v = Math.fround(op.real(a.data[ia[i] as number] as number, b.data[ib[i] as number] as number));
    data[i] = activation ? applyActivation(activation, v) : v;
  }
  return [{ type, data }];
}

/**
 * On codes: the result in quanta of the output (of reals where the activation is not a clamp), rounded once. Operands
 * without codes count with their real values. Without codes in the output, or in both operands, the float reference on
 * the real values.
 */
function integer(op: BinaryOp, attrs: ElementwiseAttrs, inputs: Inputs, output: TensorType): Tensor {
  const [a, b] = [tensorAt(inputs, 0), tensorAt(inputs, 1)];
  const grids = [a.type, b.type, output].map((t) => (isCodes(t) ? t.quant : undefined));
  const { scaled } = op;
  const onReals = grids[0] === undefined && grids[1] === undefined;
  if (!scaled || onReals || !isCodes(output) || grids.some((q) => q && q.axis !== null))
    return reference(op, attrs, [toReal(a), toReal(b)])[0] as Tensor;
  const { activation } = attrs;
  const q = output.quant as Quant;
  const direct = !activation || clampBounds(activation) !== null;
  const finish = direct ? finisher(activation, output) : (t: number) => quantizeCode(applyActivation(activation, t), q);
  const unit = direct ? scaleAt(q, 0) : 1;
  const [ra, rb] = [operand(a), operand(b)];
  const [sa, sb] = [operandScale(a.type), operandScale(b.type)];
  const [ia, ib] = indices(a, b, output.shape);
  const data = allocate(output.dtype, sizeOf(output.shape));
  for (let i = 0; i < data.length; i++)
    data[i] = finish(scaled(ra[ia[i] as number] as number, rb[ib[i] as number] as number, sa, sb, unit));
  return { type: output, data };
}

/** f32(f32(a) * f32(s_a / unit)) + f32(f32(b) * f32(s_b / unit)), added in float32: the residual formula. */
export const scaledAddition = (a: number, b: number, sa: number, sb: number, unit: number): number =>
  scaledSum(a, Math.fround(sa / unit), { residual: { value: b, scale: Math.fround(sb / unit) } });

/** The second operand; before opset 7 the attribute `axis` says where its dimensions stand. Source: ONNX Add-6. */
export function secondOperand(context: ImportContext): Value {
  const [a, b] = [context.input(0), context.input(1)];
  if (context.opset >= 7 || !context.attrs.has('axis') || context.attrs.int('broadcast', 0) === 0) return b;
  const [rank, own] = [a.type.shape.length, b.type.shape.length];
  const behind = rank - normalizeAxis(context.attrs.int('axis'), rank) - own;
  if (behind < 0) throw new Error(`a second operand of rank ${own} at axis ${context.attrs.int('axis')}`);
  const shape = [...b.type.shape, ...new Array<number>(behind).fill(1)];
  return behind === 0 ? b : context.add('reshape2', { shape }, [b]);
}

/** The importer of an ONNX type with two operands. */
export const importPair =
  (name: string): OnnxImporter =>
  (context) =>
    context.add(name, { activation: null }, [context.input(0), secondOperand(context)]);

/** An op of two broadcasting operands. */
export function elementwiseOp(op: BinaryOp): Op {
  return defineOp<ElementwiseAttrs>({
    name: op.name,
    doc: op.doc,
    inputs: [2, 2],
    quant: op.scaled ? 'requantizes' : 'float-only',
    lower: lowerBinary(op.kernel),
    infer,
    reference: (attrs, inputs) => reference(op, attrs, inputs),
    ...(op.scaled
      ? { integer: (attrs: ElementwiseAttrs, inputs: Inputs, output: TensorType) => integer(op, attrs, inputs, output) }
      : {}),
    onnx: op.importers ?? { [op.onnx]: importPair(op.name) },
    paddle: { ...(op.name.startsWith('elementwise_') ? { [op.name]: elementwise(op.name) } : {}), ...op.paddle },
  });
}

/** The importer of an ONNX type with any number of operands, which are combined one after the other. */
export const importChain =
  (name: string): OnnxImporter =>
  (context) => {
    const operands = Array.from({ length: context.inputCount }, (_, i) => context.input(i));
    const first = context.input(0);
    if (operands.length === 1) return first.data ? first : context.add('assign', {}, [first]);
    return operands.slice(1).reduce((sum, x) => context.add(name, { activation: null }, [sum, x]), first);
  };
