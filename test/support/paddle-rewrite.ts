/** Rewrites quantized Paddle models as training exports them into the other forms that Paddle writes. */
import {
  type BlockDesc,
  type OpDesc,
  type ProgramDesc,
  type VarDesc,
  VarType,
} from '../../src/frontends/paddle/proto.js';
import type { Tensor } from '../../src/ir/tensor.js';
import type { ModelFiles } from '../../src/support/model-files.js';
import { combined, type Data, encodeParameter, encodeProgram, folderOf, ints, opDesc } from './paddle.js';
import { codesOf } from './paddle-nets.js';

/** A program with its parameters, read. */
export interface PaddleNet {
  readonly program: ProgramDesc;
  readonly parameters: ReadonlyMap<string, Data>;
}

/**
 * What a model is rewritten to:
 * - `frozen`: codes as operands of the product, a fake_channel_wise_dequantize_max_abs behind it;
 * - `frozen-weights`: weights hold codes as floats, a fake_channel_wise_dequantize_max_abs before the product;
 * - `onnx-format`: quantize_linear and dequantize_linear, weights are int8.
 */
export type Form = 'frozen' | 'frozen-weights' | 'onnx-format';

const ACTIVATION = 'fake_quantize_dequantize_moving_average_abs_max';
const WEIGHTS = 'fake_channel_wise_quantize_dequantize_abs_max';

const slot = (op: OpDesc, side: 'inputs' | 'outputs', name: string): string => {
  const found = op[side].get(name)?.[0];
  if (found === undefined) throw new Error(`${op.type} has no ${name}`);
  return found;
};

/** Parameters that were read as the writer takes them. */
export const dataOf = ({ type, data }: Tensor): Data => ({ dtype: type.dtype, shape: type.shape, values: data });

/** The ops of one form in place of a fake-quantization op, or of a product. */
class Rewriter {
  readonly parameters: Map<string, Data>;
  private readonly form: Form;
  /** Fake-quantization ops by their result. */
  private readonly fakes: ReadonlyMap<string, OpDesc>;

  constructor({ program, parameters }: PaddleNet, form: Form) {
    this.form = form;
    this.parameters = new Map(parameters);
    const ops = program.blocks[0]?.ops ?? [];
    this.fakes = new Map(
      ops.filter((op) => op.type === ACTIVATION || op.type === WEIGHTS).map((op) => [slot(op, 'outputs', 'Out'), op]),
    );
    if (form === 'onnx-format') this.parameters.set('zero.point', ints([1], [0]));
  }

  rewrite(op: OpDesc): OpDesc[] {
    if (op.type === ACTIVATION) return this.activation(op);
    if (op.type === WEIGHTS) return this.weights(op);
    return this.form === 'frozen' ? this.product(op) : [op];
  }

  private linear(type: string, x: string, scale: string, y: string, axis: number): OpDesc {
    const inputs = { X: x, Scale: scale, ZeroPoint: 'zero.point' };
    return opDesc({ type, inputs, outputs: { Y: y }, attrs: { quant_axis: axis, bit_length: 8, is_test: true } });
  }

  private activation(op: OpDesc): OpDesc[] {
    if (this.form === 'frozen-weights') return [op];
    const [x, scale, y] = [slot(op, 'inputs', 'X'), slot(op, 'inputs', 'InScale'), slot(op, 'outputs', 'Out')];
    if (this.form === 'onnx-format') {
      const codes = `${y}.codes`;
      return [
        this.linear('quantize_linear', x, scale, codes, -1),
        this.linear('dequantize_linear', codes, scale, y, -1),
      ];
    }
    return [{ ...op, type: 'fake_quantize_moving_average_abs_max' }];
  }

  private weights(op: OpDesc): OpDesc[] {
    const [w, scale, y] = [slot(op, 'inputs', 'X'), slot(op, 'outputs', 'OutScale'), slot(op, 'outputs', 'Out')];
    const data = this.parameters.get(w) as Data;
    const axis = op.attrs.get('quant_axis')?.numbers[0] ?? 0;
    const dtype = this.form === 'onnx-format' ? 'i8' : 'f32';
    this.parameters.set(w, { dtype, shape: data.shape, values: codesOf(data, axis) });
    switch (this.form) {
      case 'onnx-format':
        return [this.linear('dequantize_linear', w, scale, y, axis)];
      case 'frozen-weights': {
        const attrs = { quant_bits: [8], quant_axis: axis };
        const type = 'fake_channel_wise_dequantize_max_abs';
        return [opDesc({ type, inputs: { X: w, Scales: scale }, outputs: { Out: y }, attrs })];
      }
      default:
        return [];
    }
  }

  /** A product of codes, with the real numbers behind it. */
  private product(op: OpDesc): OpDesc[] {
    const fakeOf = (names: readonly string[]): OpDesc | undefined => this.fakes.get(names[0] ?? '');
    const weights = [...op.inputs].find(([, names]) => fakeOf(names)?.type === WEIGHTS);
    const operand = [...op.inputs].find(([, names]) => fakeOf(names)?.type === ACTIVATION);
    if (!weights || !operand) return [op];
    const [w, x] = [fakeOf(weights[1]) as OpDesc, fakeOf(operand[1]) as OpDesc];
    const [out, names] = [...op.outputs][0] as [string, readonly string[]];
    const [y, codes] = [names[0] as string, `${names[0]}.codes`];
    const inputs = new Map(op.inputs).set(weights[0], [slot(w, 'inputs', 'X')]);
    const real = opDesc({
      type: 'fake_channel_wise_dequantize_max_abs',
      inputs: { X: codes, Scales: [slot(w, 'outputs', 'OutScale'), slot(x, 'inputs', 'InScale')] },
      outputs: { Out: y },
      attrs: { quant_bits: [8, 8], x_num_col_dims: 1 },
    });
    return [{ ...op, inputs, outputs: new Map(op.outputs).set(out, [codes]) }, real];
  }
}

const ELEMENTS = { f32: VarType.FP32, i8: VarType.INT8, i32: VarType.INT32 } as const;

/** The variables of a program whose parameters changed their elements, or are new. */
function variables(block: BlockDesc, parameters: ReadonlyMap<string, Data>): VarDesc[] {
  const known = new Map(block.vars.map((v) => [v.name, v]));
  for (const [name, { dtype, shape }] of parameters) {
    const dataType = ELEMENTS[dtype as keyof typeof ELEMENTS];
    const tensor = { dataType, dims: shape };
    const old = known.get(name) ?? { name, kind: VarType.LOD_TENSOR, persistable: true };
    known.set(name, { ...old, tensor });
  }
  return [...known.values()];
}

/** A net of QAT form in another form: the same numbers, said otherwise. */
export function rewritten(net: PaddleNet, form: Form): PaddleNet {
  const rewriter = new Rewriter(net, form);
  const [block] = net.program.blocks as [BlockDesc];
  const ops = block.ops.flatMap((op) => rewriter.rewrite(op));
  const { parameters } = rewriter;
  return { program: { ...net.program, blocks: [{ vars: variables(block, parameters), ops }] }, parameters };
}

/** A net as a folder with the program and one file of parameters. */
export const combinedFiles = ({ program, parameters }: PaddleNet): ModelFiles =>
  folderOf('inference.pdmodel', {
    'inference.pdmodel': encodeProgram(program),
    'inference.pdiparams': combined(Object.fromEntries(parameters)),
  });

/** A net as a folder with the program and a file per parameter. */
export const separateFiles = ({ program, parameters }: PaddleNet): ModelFiles =>
  folderOf('__model__', {
    __model__: encodeProgram(program),
    ...Object.fromEntries([...parameters].map(([name, data]) => [name, encodeParameter(data)])),
  });
