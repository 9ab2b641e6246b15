import type { Graph, Node, Value } from '../ir/graph.js';
import type { OpTable } from '../ir/op.js';
import type { Patch } from '../ir/patch.js';
import type { Tensor } from '../ir/tensor.js';
import type { Quant } from '../ir/type.js';
import type { Calibration } from '../quant/calibration.js';
import { quantizeTensor } from '../quant/tensors.js';
import { constantGrid, quantizeBias, weightGrid } from '../quant/weights.js';
import { codeSlots, filterAxis, PRODUCTS } from './int8-rules.js';
import type { Pass } from './pass.js';
import { couldBeInt8 } from './scale-targets.js';

/**
 * Before:     a float network, fused; a calibration that has grids for its values by name
 * After:      these values stand on their grids; weights and biases of products that read one are codes, and so are
 *             constant operands of other int8 ops
 * Conditions: what the user leaves in float (--ops-to-quantize, --op-ids-to-skip) keeps its weights
 * Formula:    weights: symmetric int8, s = max|w| / 127 per output channel or tensor, unless recovery chose codes;
 *             bias: int32 in units of s_x * s_w, float where that does not fit and for products of more than two dimensions
 */
export const assignScales: Pass = {
  name: 'assign-scales',
  doc: 'calibrated grids go onto the values; weights and biases become codes',
  numbers: 'rounds',
  run(graph, patch, context) {
    const { calibration } = context;
    if (!calibration) return;
    for (const value of graph.values.values()) {
      const quant = value.data ? undefined : calibration.values.get(value.name);
      if (quant && !value.type.quant && value.type.dtype === 'f32')
        patch.retype(value.id, { ...value.type, quant }, 'quant');
    }
    const constants = new Constants(patch);
    for (const node of graph.nodes) {
      if (!couldBeInt8(graph, node, context)) continue;
      if (PRODUCTS.has(node.op)) quantizeProduct(graph, node, calibration, constants);
      else quantizeOperands(graph, node, context.ops, constants);
    }
  },
};

/** Constants that were made from others, each once. */
class Constants {
  private readonly made = new Map<string, Value>();
  readonly patch: Patch;

  constructor(patch: Patch) {
    this.patch = patch;
  }

  get(key: string, name: string, make: () => Tensor): Value {
    const known = this.made.get(key);
    if (known) return known;
    const value = this.patch.addConstant(name, make());
    this.made.set(key, value);
    return value;
  }
}

const gridOf = (value: Value | undefined): Quant | null => {
  const quant = value?.type.quant;
  return quant && quant.axis === null ? quant : null;
};

function quantizeProduct(graph: Graph, node: Node, calibration: Calibration, constants: Constants): void {
  const x = gridOf(graph.input(node, 0));
  const [w, bias] = [graph.input(node, 1), graph.optionalInput(node, 2)];
  if (!x || !w.data) return;
  const real = w.data;
  const axis = filterAxis(node);
  const { name } = graph.output(node);
  const learned = calibration.products.get(name) ?? {};
  const key = learned.weights ? `learned ${name}` : `${w.id} axis ${axis}`;
  const codes = constants.get(
    key,
    `${w.name}/codes`,
    () => learned.weights ?? quantizeTensor(real, weightGrid(real, axis, calibration.perChannel)),
  );
  constants.patch.setInput(node, 1, codes.id, 'quant+dtype');
  const reals = learned.bias ?? bias?.data;
  if (!reals) return;
  // A product of more dimensions is MatMul and Add in ONNX, and that takes reals.
  const asAdd = (node.op === 'fc' || node.op === 'mul') && graph.input(node, 0).type.shape.length !== 2;
  const stored = asAdd ? null : quantizeBias(reals, x, codes.type.quant as Quant);
  if (!stored && !learned.bias) return;
  const made = constants.patch.addConstant(`${bias?.name ?? w.name}/bias`, stored ?? reals);
  if (bias) constants.patch.setInput(node, 2, made.id, 'quant+dtype');
  else constants.patch.addInput(node, 2, made.id);
}

/** Constant operands of a node whose other operands are on grids. */
function quantizeOperands(graph: Graph, node: Node, _ops: OpTable, constants: Constants): void {
  const operands = codeSlots(node).flatMap((slot) => {
    const value = graph.optionalInput(node, slot);
    return value ? [{ slot, value }] : [];
  });
  const computed = operands.filter(({ value }) => !value.data);
  if (computed.length === 0 || !computed.every(({ value }) => gridOf(value)) || !gridOf(graph.output(node))) return;
  for (const { slot, value } of operands) {
    const { data } = value;
    if (!data || value.type.dtype !== 'f32' || value.type.quant) continue;
    const codes = constants.get(`${value.id}`, `${value.name}/codes`, () => quantizeTensor(data, constantGrid(data)));
    constants.patch.setInput(node, slot, codes.id, 'quant+dtype');
  }
}
