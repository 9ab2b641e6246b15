/**
 * Runs qc's interpreter on a model: every op from its plain definition, on the graph that is compiled.
 * Arguments: MODEL INPUT OUTPUT (raw float32).
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { lower } from '../../src/compile.js';
import { f32, type Tensor } from '../../src/ir/tensor.js';
import { OPS } from '../../src/ops/index.js';
import { interpret, outputsOf } from '../../src/ops/interpret.js';
import { resolveOptions } from '../../src/options.js';

const [model, input, output] = process.argv.slice(2) as [string, string, string];
const { graph } = lower(readFileSync(model), resolveOptions({}));
const { name, type } = graph.value(graph.inputs[0] as number);
const x = new Float32Array(new Uint8Array(readFileSync(input)).buffer);
const [result] = Object.values(outputsOf(graph, interpret(graph, OPS, { [name]: f32(type.shape, x) }))) as [Tensor];
writeFileSync(output, new Uint8Array((result.data as Float32Array).slice().buffer));
