import { compile, lower, passContext } from '../../compile.js';
import type { SampleSource } from '../../data/sample.js';
import type { Graph, Node } from '../../ir/graph.js';
import { f32, type Tensor } from '../../ir/tensor.js';
import { perAxis, scaleAt } from '../../ir/type.js';
import { resolveOptions } from '../../options.js';
import { couldBeInt8 } from '../../passes/scale-targets.js';
import type { Calibration, LearnedProduct } from '../../quant/calibration.js';
import { damped, learnFilter, MomentSums, type Moments } from '../../quant/learned-rounding.js';
import { quantizeCode } from '../../quant/rounding.js';
import { weightGrid } from '../../quant/weights.js';
import { createLoader } from '../../runtime/loader.js';
import { type CalibrateOptions, floatOptions, type Model } from './calibrate.js';
import { feed } from './observe.js';
import { type Patches, patchesOf } from './patches.js';
import type { Recovery } from './recoveries.js';

/** Operands of a sum beyond which only means are kept: the covariances would take too long. */
const MOST_OPERANDS = 1200;
/** Rows of operands that are looked at per layer, at least. */
const LEAST_ROWS = 1024;

interface Layer {
  readonly node: Node;
  readonly name: string;
  readonly input: string;
  readonly weights: Tensor;
  readonly bias: Tensor | null;
  readonly patches: Patches;
  readonly sums: MomentSums[];
}

function layersOf(graph: Graph, calibration: Calibration, options: CalibrateOptions, full: boolean): Layer[] {
  const context = passContext(resolveOptions({ ...floatOptions(options) }));
  return graph.nodes.flatMap((node): Layer[] => {
    const patches = patchesOf(graph, node);
    if (!patches || !couldBeInt8(graph, node, context)) return [];
    const [x, w, b] = [graph.input(node, 0), graph.input(node, 1), graph.optionalInput(node, 2)];
    if (!calibration.values.has(x.name) || !w.data) return [];
    const sums = Array.from(
      { length: patches.groups },
      () => new MomentSums(patches.size, full && patches.size <= MOST_OPERANDS),
    );
    const { name } = graph.output(node);
    return [{ node, name, input: x.name, weights: w.data, bias: b?.data ?? null, patches, sums }];
  });
}

/**
 * Chooses weights and biases of every product anew, layer by layer, from what its operands are over the samples, which
 * are read in their order:
 *
 * - `round`: each weight goes up or down as the least square error of the layer's sums wants it;
 * - `clip`: filters may take a smaller scale, which clips their outliers, where that error is less;
 * - `bias`: what rounding moves the mean of a sum by is taken back in the bias. Source: Nagel et al., "Data-free
 *   quantization through weight equalization and bias correction", 2019, with means of the calibration data.
 */
export async function recover(
  model: Model,
  calibration: Calibration,
  source: SampleSource,
  ways: ReadonlySet<Recovery>,
  options: CalibrateOptions = {},
): Promise<Calibration> {
  const { graph } = lower(model, resolveOptions(floatOptions(options)), 'fused');
  const learns = ways.has('round') || ways.has('clip');
  const layers = layersOf(graph, calibration, options, learns);
  const taps = [...new Set(layers.map((l) => l.input))].filter(
    (name) => !graph.inputs.some((id) => graph.value(id).name === name),
  );
  const { wasm, report } = await compile(model, { ...floatOptions(options), precision: 'fp32', taps });
  const net = createLoader(report.name, () => '').loadSync(wasm as Uint8Array<ArrayBuffer>);
  const inputs = new Set(net.inputs.map((t) => t.name));
  let index = 0;
  for await (const sample of source.samples()) {
    feed(net, sample);
    const look = (layer: Layer): void => {
      const rows = Math.ceil(Math.max(LEAST_ROWS, 2 * layer.patches.size) / source.length);
      const data = (inputs.has(layer.input) ? net.input(layer.input) : net.output(layer.input)) as Float32Array;
      layer.patches.visit(data, rows, index, (row, group) => layer.sums[group]?.add(row));
    };
    for (const layer of layers) if (inputs.has(layer.input)) look(layer);
    net.runInPlace();
    for (const layer of layers) if (!inputs.has(layer.input)) look(layer);
    index++;
    options.onSample?.(index, source.length);
  }
  const products = new Map<string, LearnedProduct>();
  for (const layer of layers) products.set(layer.name, learn(layer, calibration, ways));
  return { ...calibration, products };
}

/** Weights and bias of one layer. */
function learn(layer: Layer, { perChannel }: Calibration, ways: ReadonlySet<Recovery>): LearnedProduct {
  const { weights, bias, patches, sums } = layer;
  const grid = weightGrid(weights, patches.axis, perChannel);
  const moments: Moments[] = sums.map((s) => s.finish());
  const matrices = moments.map(damped);
  const { channels } = patches;
  const codes = new Int8Array(weights.data.length);
  const scales = new Array<number>(channels);
  const shifted = new Float32Array(channels);
  const w = new Float64Array(patches.size);
  for (let c = 0; c < channels; c++) {
    const group = patches.groupOf(c);
    patches.readFilter(weights.data as Float32Array, c, w);
    const scale = scaleAt(grid, c);
    const a = matrices[group];
    const nearest = { codes: Int8Array.from(w, (v) => quantizeCode(v, grid, c)), scale };
    const learns = a && (ways.has('round') || (ways.has('clip') && perChannel));
    const found = learns
      ? learnFilter(w, a, scale, { clip: ways.has('clip') && perChannel, round: ways.has('round') })
      : nearest;
    patches.writeFilter(codes, c, found.codes);
    scales[c] = found.scale;
    let shift = 0;
    const { mean } = moments[group] as Moments;
    for (let i = 0; i < w.length; i++)
      shift += ((w[i] as number) - (found.codes[i] as number) * found.scale) * (mean[i] as number);
    shifted[c] = Number(bias?.data[c] ?? 0) + (ways.has('bias') ? shift : 0);
  }
  const quant = perChannel ? perAxis('i8', patches.axis, scales) : grid;
  const learned = { weights: { type: { dtype: 'i8' as const, shape: weights.type.shape, quant }, data: codes } };
  return bias || ways.has('bias') ? { ...learned, bias: f32([channels], shifted) } : learned;
}
