import { abs } from './abs.js';
import { affineChannel } from './affine-channel.js';
import { argMax } from './arg-max.js';
import { argMin } from './arg-min.js';
import { assign } from './assign.js';
import { batchNorm } from './batch-norm.js';
import { bitwiseAnd } from './bitwise-and.js';
import { bitwiseLeftShift } from './bitwise-left-shift.js';
import { bitwiseOr } from './bitwise-or.js';
import { bitwiseRightShift } from './bitwise-right-shift.js';
import { bitwiseXor } from './bitwise-xor.js';
import { cast } from './cast.js';
import { ceil } from './ceil.js';
import { celu } from './celu.js';
import { clip } from './clip.js';
import { concat } from './concat.js';
import { conv2d } from './conv2d.js';
import { conv2dTranspose } from './conv2d-transpose.js';
import { conv3d } from './conv3d.js';
import { cos } from './cos.js';
import { cumsum } from './cumsum.js';
import { depthToSpace } from './depth-to-space.js';
import { depthwiseConv2d } from './depthwise-conv2d.js';
import { dequantize } from './dequantize.js';
import { einsum } from './einsum.js';
import { elementwiseAdd } from './elementwise-add.js';
import { elementwiseDiv } from './elementwise-div.js';
import { elementwiseFmod } from './elementwise-fmod.js';
import { elementwiseMax } from './elementwise-max.js';
import { elementwiseMin } from './elementwise-min.js';
import { elementwiseMod } from './elementwise-mod.js';
import { elementwiseMul } from './elementwise-mul.js';
import { elementwisePow } from './elementwise-pow.js';
import { elementwiseSub } from './elementwise-sub.js';
import { elu } from './elu.js';
import { equal } from './equal.js';
import { erf } from './erf.js';
import { exp } from './exp.js';
import { expand } from './expand.js';
import { fakeQuantize } from './fake-quantize.js';
import { fc } from './fc.js';
import { fillConstant } from './fill-constant.js';
import { floor } from './floor.js';
import { gather } from './gather.js';
import { gelu } from './gelu.js';
import { geluTanh } from './gelu-tanh.js';
import { hardSigmoid } from './hard-sigmoid.js';
import { hardSwish } from './hard-swish.js';
import type { OnnxImporter, PaddleImporter } from './import-context.js';
import { guarded } from './import-helpers.js';
import { isinfV2 } from './isinf-v2.js';
import { isnanV2 } from './isnan-v2.js';
import { leakyRelu } from './leaky-relu.js';
import { lessEqual } from './less-equal.js';
import { lessThan } from './less-than.js';
import { linearInterp } from './linear-interp.js';
import { log } from './log.js';
import { logicalAnd } from './logical-and.js';
import { logicalNot } from './logical-not.js';
import { logicalOr } from './logical-or.js';
import { logicalXor } from './logical-xor.js';
import { lrn } from './lrn.js';
import { matmul } from './matmul.js';
import { maxPool2dWithIndex } from './max-pool2d-with-index.js';
import { mish } from './mish.js';
import { mul } from './mul.js';
import { nearestInterp } from './nearest-interp.js';
import { negative } from './negative.js';
import { normalize } from './normalize.js';
import type { Op } from './op.js';
import { pad } from './pad.js';
import { pool2d } from './pool2d.js';
import { prelu } from './prelu.js';
import { quantize } from './quantize.js';
import { range } from './range.js';
import { reciprocal } from './reciprocal.js';
import { reduceMax } from './reduce-max.js';
import { reduceMean } from './reduce-mean.js';
import { reduceMin } from './reduce-min.js';
import { reduceProd } from './reduce-prod.js';
import { reduceSum } from './reduce-sum.js';
import { relu } from './relu.js';
import { relu6 } from './relu6.js';
import { requantizeOp } from './requantize.js';
import { reshape2 } from './reshape2.js';
import { round } from './round.js';
import { scatter } from './scatter.js';
import { selu } from './selu.js';
import { shape } from './shape.js';
import { shrink } from './shrink.js';
import { sigmoid } from './sigmoid.js';
import { sign } from './sign.js';
import { sin } from './sin.js';
import { slice } from './slice.js';
import { softmax } from './softmax.js';
import { softplus } from './softplus.js';
import { softsign } from './softsign.js';
import { spaceToDepth } from './space-to-depth.js';
import { sqrt } from './sqrt.js';
import { square } from './square.js';
import { swish } from './swish.js';
import { tanh } from './tanh.js';
import { thresholdedRelu } from './thresholded-relu.js';
import { tile } from './tile.js';
import { topK } from './top-k.js';
import { transpose2 } from './transpose2.js';
import { where } from './where.js';

/** Every op. To add one, write its file and name it here. */
const LIST: readonly Op[] = [
  abs,
  affineChannel,
  argMax,
  argMin,
  assign,
  batchNorm,
  bitwiseAnd,
  bitwiseLeftShift,
  bitwiseOr,
  bitwiseRightShift,
  bitwiseXor,
  cast,
  ceil,
  celu,
  clip,
  concat,
  conv2d,
  conv2dTranspose,
  conv3d,
  cos,
  cumsum,
  depthToSpace,
  depthwiseConv2d,
  dequantize,
  einsum,
  elementwiseAdd,
  elementwiseDiv,
  elementwiseFmod,
  elementwiseMax,
  elementwiseMin,
  elementwiseMod,
  elementwiseMul,
  elementwisePow,
  elementwiseSub,
  elu,
  equal,
  erf,
  exp,
  expand,
  fakeQuantize,
  fc,
  fillConstant,
  floor,
  gather,
  gelu,
  geluTanh,
  hardSigmoid,
  hardSwish,
  isinfV2,
  isnanV2,
  leakyRelu,
  lessEqual,
  lessThan,
  linearInterp,
  log,
  logicalAnd,
  logicalNot,
  logicalOr,
  logicalXor,
  lrn,
  matmul,
  maxPool2dWithIndex,
  mish,
  mul,
  nearestInterp,
  negative,
  normalize,
  pad,
  pool2d,
  prelu,
  quantize,
  range,
  reciprocal,
  reduceMax,
  reduceMean,
  reduceMin,
  reduceProd,
  reduceSum,
  relu,
  relu6,
  requantizeOp,
  reshape2,
  round,
  scatter,
  selu,
  shape,
  shrink,
  sigmoid,
  sign,
  sin,
  slice,
  softmax,
  softplus,
  softsign,
  spaceToDepth,
  sqrt,
  square,
  swish,
  tanh,
  thresholdedRelu,
  tile,
  topK,
  transpose2,
  where,
];

/** The ops by name (Paddle's op type names). */
export const OPS: ReadonlyMap<string, Op> = new Map(LIST.map((op) => [op.name, op]));

/** How each ONNX op type (`domain:type` outside of ONNX itself) is read, and the op whose file says so. */
export const ONNX_IMPORTERS: ReadonlyMap<string, { readonly op: Op; readonly importer: OnnxImporter }> = new Map(
  LIST.flatMap((op) =>
    Object.entries(op.onnx ?? {}).map(
      ([type, importer]) => [type, { op, importer: guarded(type, op, importer) }] as const,
    ),
  ),
);

/** How each Paddle op type is read, and the op whose file says so. */
export const PADDLE_IMPORTERS: ReadonlyMap<string, { readonly op: Op; readonly importer: PaddleImporter }> = new Map(
  LIST.flatMap((op) => Object.entries(op.paddle ?? {}).map(([type, importer]) => [type, { op, importer }] as const)),
);

/** An ONNX op type without its domain, as users and tables name it. */
export const bareType = (key: string): string => key.slice(key.indexOf(':') + 1);

/** ONNX op types that become one of several ops. */
const SEVERAL: Readonly<Record<string, readonly string[]>> = {
  Conv: ['conv2d', 'depthwise_conv2d', 'conv3d'],
  ConvTranspose: ['conv2d_transpose', 'conv3d'],
  MaxPool: ['pool2d', 'max_pool2d_with_index'],
  ConvInteger: ['conv2d', 'depthwise_conv2d'],
  FusedConv: ['conv2d', 'depthwise_conv2d'],
  QLinearConv: ['conv2d', 'depthwise_conv2d'],
  Gemm: ['fc', 'mul'],
  QGemm: ['fc', 'mul'],
  MatMulInteger: ['mul', 'matmul', 'fc'],
  QLinearMatMul: ['mul', 'matmul', 'fc'],
  MatMul: ['mul', 'matmul', 'fc'],
  BitShift: ['bitwise_left_shift', 'bitwise_right_shift'],
  Clip: ['clip', 'relu6', 'relu'],
  Gelu: ['gelu', 'gelu_tanh'],
  Mod: ['elementwise_mod', 'elementwise_fmod'],
  PRelu: ['prelu', 'leaky_relu'],
  Resize: ['nearest_interp', 'linear_interp'],
  Upsample: ['nearest_interp', 'linear_interp'],
};

/** The op names that an ONNX op type stands for, where users name ops by their ONNX type. */
export const ONNX_ALIASES: ReadonlyMap<string, readonly string[]> = new Map(
  [...ONNX_IMPORTERS].map(([key, { op }]) => {
    const type = bareType(key);
    return [type, SEVERAL[type] ?? [op.name]];
  }),
);

/** Paddle op types that become one of several ops. */
const SEVERAL_OF_PADDLE: Readonly<Record<string, readonly string[]>> = {
  matmul: ['mul', 'matmul', 'fc'],
  matmul_v2: ['mul', 'matmul', 'fc'],
  conv2d_fusion: ['conv2d', 'depthwise_conv2d'],
  fused_conv2d: ['conv2d', 'depthwise_conv2d'],
};

/** The op names that a Paddle op type stands for, where it is not the name of an op itself. */
export const PADDLE_ALIASES: ReadonlyMap<string, readonly string[]> = new Map(
  [...PADDLE_IMPORTERS].map(([type, { op }]) => [type, SEVERAL_OF_PADDLE[type] ?? [op.name]]),
);
