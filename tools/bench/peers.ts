/**
 * Times qc against onnxruntime on the same models: every case in a fresh process, interleaved rounds, one thread.
 *
 *     (cd tools/bench && npm ci)
 *     npx tsx tools/bench/peers.ts [--rounds N] [--seconds S] ENGINE:MODEL.onnx ENGINE:MODEL.onnx ...
 *
 * Engines: qc, ort-web (onnxruntime-web, wasm), ort-node. The first case is what the ratios are taken to.
 */
import { spawnSync } from 'node:child_process';
import { cpus } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: 'string', default: '5' }, seconds: { type: 'string', default: '2' } },
});
const child = join(dirname(fileURLToPath(import.meta.url)), 'engine.ts');
const plainBinaryen = new URL('../plain-binaryen.mjs', import.meta.url).href;

/** One measurement in a process of its own; throws with the child's message if it fails. */
function once(spec: string): number {
  const [engine, ...model] = spec.split(':');
  const args = ['--import', 'tsx', '--import', plainBinaryen, child, engine, model.join(':'), values.seconds];
  const result = spawnSync(process.execPath, args, { encoding: 'utf8' });
  const line = result.stdout.trim().split('\n').at(-1) ?? '';
  if (result.status !== 0) throw new Error(`${spec}: ${result.stderr.split('\n').slice(-8).join('\n')}`);
  return (JSON.parse(line) as { median: number }).median;
}

const median = (list: readonly number[]): number => [...list].sort((a, b) => a - b)[list.length >> 1];

if (positionals.length === 0) throw new Error('name at least one ENGINE:MODEL.onnx');
const times = positionals.map(() => [] as number[]);
for (let round = 0; round < Number(values.rounds); round++)
  positionals.forEach((spec, i) => {
    times[i].push(once(spec));
  });
console.log(`Node ${process.version}, ${cpus()[0].model}, one thread, medians of ${values.rounds} interleaved rounds`);
positionals.forEach((spec, i) => {
  const [engine, ...model] = spec.split(':');
  const ratio = median(times[i].map((t, round) => t / times[0][round]));
  const spread = `${Math.min(...times[i]).toFixed(2)}..${Math.max(...times[i]).toFixed(2)}`;
  const title = `${engine.padEnd(9)} ${basename(model.join(':'), '.onnx').padEnd(34)}`;
  console.log(`${title} ${median(times[i]).toFixed(2).padStart(9)} ms  (${spread})  ${ratio.toFixed(2).padStart(6)}x`);
});
