import { lower, passContext } from '../../compile.js';
import type { SampleSource } from '../../data/sample.js';
import type { Graph, Node } from '../../ir/graph.js';
import type { Tensor } from '../../ir/tensor.js';
import { resolveOptions } from '../../options.js';
import { couldBeInt8 } from '../../passes/scale-targets.js';
import type { Calibration } from '../../quant/calibration.js';
import type { Net } from '../../runtime/net.js';
import { type CalibrateOptions, floatOptions, type Model } from './calibrate.js';
import { feed } from './observe.js';
import { type Patches, patchesOf } from './patches.js';

/** Rows of operands that are looked at per layer over all samples, at least. */
const LEAST_ROWS = 1024;

/** A product whose operand is on a grid and whose weights are constant: what recovery works on. */
export interface Layer {
  /** The name of its result, and of its operand. */
  readonly name: string;
  readonly input: string;
  readonly weights: Tensor;
  readonly bias: Tensor | null;
  readonly patches: Patches;
}

/** The layers of a float network that a calibration makes int8, in execution order. */
export function layersOf(model: Model, calibration: Calibration, options: CalibrateOptions): Layer[] {
  const resolved = resolveOptions(floatOptions(options));
  const { graph } = lower(model, resolved, 'fused');
  const context = passContext(resolved);
  return graph.nodes.flatMap((node) => {
    const patches = patchesOf(graph, node);
    return patches && couldBeInt8(graph, node, context) ? layerOf(graph, node, patches, calibration) : [];
  });
}

function layerOf(graph: Graph, node: Node, patches: Patches, calibration: Calibration): Layer[] {
  const [x, w, b] = [graph.input(node, 0), graph.input(node, 1), graph.optionalInput(node, 2)];
  if (!calibration.values.has(x.name) || !w.data) return [];
  return [{ name: graph.output(node).name, input: x.name, weights: w.data, bias: b?.data ?? null, patches }];
}

/**
 * Runs a float network, with the operands of layers among its inputs and outputs, over samples in their order, and shows
 * rows of these operands: at least 1024 per layer in all, twice as many as a sum has operands where these are more.
 */
export async function visitLayers(
  net: Net,
  layers: readonly Layer[],
  source: SampleSource,
  see: (layer: Layer, row: Float64Array, group: number, sample: number) => void,
  onSample: (done: number, total: number) => void = () => {},
): Promise<void> {
  const inputs = new Set(net.inputs.map((t) => t.name));
  let index = 0;
  for await (const sample of source.samples()) {
    const look = (layer: Layer): void => {
      const rows = Math.ceil(Math.max(LEAST_ROWS, 2 * layer.patches.size) / source.length);
      const data = (inputs.has(layer.input) ? net.input(layer.input) : net.output(layer.input)) as Float32Array;
      layer.patches.visit(data, rows, index, (row, group) => see(layer, row, group, sample.index));
    };
    feed(net, sample);
    for (const layer of layers) if (inputs.has(layer.input)) look(layer); // a run may overwrite its inputs
    net.runInPlace();
    for (const layer of layers) if (!inputs.has(layer.input)) look(layer);
    index++;
    onSample(index, source.length);
  }
}
