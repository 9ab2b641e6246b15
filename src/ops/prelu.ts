import type { Value } from '../ir/graph.js';
import { broadcastShape } from './broadcast.js';
import { reshapeTo } from './compose.js';
import { elementwiseOp } from './elementwise.js';
import type { ImportContext, OnnxImporter } from './import-context.js';
import { importPrelu as importPaddlePrelu } from './import-paddle-shape.js';
import { show } from './shapes.js';

/** The slope; before opset 7 one number per channel. */
function slopeOf(context: ImportContext): Value {
  const [x, slope] = [context.input(0), context.input(1)];
  const [first, ...rest] = slope.type.shape;
  if (context.opset >= 7 || rest.length > 0 || first === undefined || first === 1) return slope;
  return reshapeTo(context, slope, [first, ...x.type.shape.slice(2).map(() => 1)]);
}

/** ONNX PRelu; one constant slope is a leaky relu. The slope broadcasts to x only. */
const importPrelu: OnnxImporter = (context) => {
  const [x, slope] = [context.input(0), slopeOf(context)];
  const { data, type } = slope;
  if (show(broadcastShape(x.type.shape, type.shape)) !== show(x.type.shape))
    throw new Error(`a slope of shape ${show(type.shape)} for ${show(x.type.shape)}`);
  const alpha = data?.data.length === 1 && x.type.dtype === 'f32' ? Number(data.data[0]) : undefined;
  if (alpha !== undefined && type.quant === undefined && Number.isFinite(alpha))
    return context.add('leaky_relu', { alpha }, [x]);
  return context.add('prelu', { activation: null }, [x, slope]);
};

export const prelu = elementwiseOp({
  name: 'prelu',
  doc: 'x where x >= 0, else x * slope, with numpy broadcasting of the slope',
  paddle: { prelu: importPaddlePrelu },
  onnx: 'PRelu',
  importers: { PRelu: importPrelu },
  kernel: 'prelu',
  real: (a, b) => (a < 0 ? a * b : a),
});
