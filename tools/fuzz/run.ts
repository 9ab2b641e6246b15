/**
 * Compiles damaged models and reports what ends otherwise than in a module or an error for the user.
 *
 *     npm run fuzz -- [--files 10000] [--seed 0] [--write SEED=FILE]
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { fuzz } from './fuzz.js';
import { mutant } from './mutate.js';

const { values } = parseArgs({
  options: {
    files: { type: 'string', default: '10000' },
    seed: { type: 'string', default: '0' },
    write: { type: 'string' },
  },
});

if (values.write !== undefined) {
  const [seed = '0', file = 'mutant.onnx'] = values.write.split('=');
  writeFileSync(file, mutant(Number(seed)));
  console.log(`${file}: mutant ${seed}`);
} else {
  const { files, compiled, findings } = await fuzz(Number(values.seed), Number(values.files));
  for (const { seed, what } of findings) console.log(`${seed}: ${what}`);
  console.log(`${files} files, ${compiled} of them compile, ${findings.length} findings`);
  process.exitCode = findings.length > 0 ? 1 : 0;
}
