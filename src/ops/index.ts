import { affineChannel } from './affine-channel.js';
import { assign } from './assign.js';
import { batchNorm } from './batch-norm.js';
import { cast } from './cast.js';
import { clip } from './clip.js';
import { concat } from './concat.js';
import { conv2d } from './conv2d.js';
import { depthwiseConv2d } from './depthwise-conv2d.js';
import { dequantize } from './dequantize.js';
import { elementwiseAdd } from './elementwise-add.js';
import { elementwiseDiv } from './elementwise-div.js';
import { elementwiseMul } from './elementwise-mul.js';
import { elementwiseSub } from './elementwise-sub.js';
import { expand } from './expand.js';
import { fakeQuantize } from './fake-quantize.js';
import { fc } from './fc.js';
import { fillConstant } from './fill-constant.js';
import { gather } from './gather.js';
import { gelu } from './gelu.js';
import { hardSigmoid } from './hard-sigmoid.js';
import { hardSwish } from './hard-swish.js';
import type { OnnxImporter } from './import-context.js';
import { guarded } from './import-helpers.js';
import { leakyRelu } from './leaky-relu.js';
import { matmul } from './matmul.js';
import { mul } from './mul.js';
import type { Op } from './op.js';
import { pool2d } from './pool2d.js';
import { quantize } from './quantize.js';
import { range } from './range.js';
import { reduceMean } from './reduce-mean.js';
import { relu } from './relu.js';
import { relu6 } from './relu6.js';
import { requantizeOp } from './requantize.js';
import { reshape2 } from './reshape2.js';
import { shape } from './shape.js';
import { sigmoid } from './sigmoid.js';
import { slice } from './slice.js';
import { softmax } from './softmax.js';
import { swish } from './swish.js';
import { tanh } from './tanh.js';
import { transpose2 } from './transpose2.js';

/** Every op. To add one, write its file and name it here. */
const LIST: readonly Op[] = [
  affineChannel,
  assign,
  batchNorm,
  cast,
  clip,
  concat,
  conv2d,
  depthwiseConv2d,
  dequantize,
  elementwiseAdd,
  elementwiseDiv,
  elementwiseMul,
  elementwiseSub,
  expand,
  fakeQuantize,
  fc,
  fillConstant,
  gather,
  gelu,
  hardSigmoid,
  hardSwish,
  leakyRelu,
  matmul,
  mul,
  pool2d,
  quantize,
  range,
  reduceMean,
  relu,
  relu6,
  requantizeOp,
  reshape2,
  shape,
  sigmoid,
  slice,
  softmax,
  swish,
  tanh,
  transpose2,
];

/** The ops by name (Paddle's op type names). */
export const OPS: ReadonlyMap<string, Op> = new Map(LIST.map((op) => [op.name, op]));

/** How each ONNX op type is read, and the op whose file says so. */
export const ONNX_IMPORTERS: ReadonlyMap<string, { readonly op: Op; readonly importer: OnnxImporter }> = new Map(
  LIST.flatMap((op) =>
    Object.entries(op.onnx ?? {}).map(
      ([type, importer]) => [type, { op, importer: guarded(type, op, importer) }] as const,
    ),
  ),
);

/** ONNX op types that become one of several ops. */
const SEVERAL: Readonly<Record<string, readonly string[]>> = {
  Conv: ['conv2d', 'depthwise_conv2d'],
  Gemm: ['fc', 'mul'],
  MatMul: ['mul', 'matmul', 'fc'],
  Clip: ['clip', 'relu6', 'relu'],
};

/** The op names that an ONNX op type stands for, where users name ops by their ONNX type. */
export const ONNX_ALIASES: ReadonlyMap<string, readonly string[]> = new Map(
  [...ONNX_IMPORTERS].map(([type, { op }]) => [type, SEVERAL[type] ?? [op.name]]),
);
