/**
 * Writes the model zoo: well-known topologies with seeded weights, as NAME.STYLE.onnx.
 *
 *     npm run zoo -- --out DIR [--only NAME,...] [--styles fp32,u8,s8] [--size S] [--width W] [--classes N]
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { writeAtomically } from './files.js';
import { TOPOLOGIES } from './topologies/index.js';
import { DEFAULT_STYLES, generate, networkOf } from './zoo.js';

const { values } = parseArgs({
  options: {
    out: { type: 'string' },
    only: { type: 'string', default: Object.keys(TOPOLOGIES).join() },
    styles: { type: 'string', default: DEFAULT_STYLES.join() },
    size: { type: 'string', default: '224' },
    width: { type: 'string', default: '1' },
    classes: { type: 'string', default: '1000' },
  },
});
if (!values.out) throw new Error('say where the models go: --out DIR');

const scale = { size: Number(values.size), width: Number(values.width), classes: Number(values.classes) };
mkdirSync(values.out, { recursive: true });
for (const name of values.only.split(',')) {
  const { layers, macs } = networkOf(name, scale);
  console.log(`${name}: ${layers.length} layers, ${(macs / 1e6).toFixed(0)} million multiplications`);
  for await (const { style, bytes } of generate(name, scale, values.styles.split(','))) {
    const file = join(values.out, `${name}.${style}.onnx`);
    writeAtomically(file, bytes);
    console.log(`  ${file} ${(bytes.length / 1e6).toFixed(1)} MB`);
  }
}
