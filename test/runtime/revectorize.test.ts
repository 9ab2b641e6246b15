/** load({ revectorize: true }) and load({ warmUp: true }), in this Node and in one whose V8 has the pass. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { compile } from '../../src/compile.js';
import { type Grid, Network } from '../support/network.js';
import { hasNode24, NODE24, runModule } from '../support/node24.js';

const S8: Grid = { dtype: 'i8', scale: 0.03, zeroPoint: 0 };

/** Convolutions of all sorts, behind relu, so that relaxed kernels are among them. */
function network(): Uint8Array {
  const net = new Network(4);
  const conv = (x: string, shape: readonly number[], attrs = {}): string => {
    const w = net.weights(shape, { axis: 0, scale: 0.004 });
    return net.fake(net.op('Relu', [net.op('Conv', [x, w, net.values([shape[0] as number])], attrs)]), S8);
  };
  let x = conv(net.fake(net.input('x', [1, 3, 20, 20]), S8), [24, 3, 3, 3], { strides: [2, 2] });
  x = conv(x, [24, 1, 3, 3], { group: 24, pads: [1, 1, 1, 1] });
  x = conv(x, [40, 24, 1, 1]);
  return net.bytes([conv(x, [32, 40, 3, 3], { pads: [1, 1, 1, 1] })]);
}

const packages = suite<{ folder: string }>('loading for 256-bit code');

packages.before(async (context) => {
  context.folder = mkdtempSync(join(tmpdir(), 'qc-revectorize-'));
  const { files } = await compile(network(), { name: 'net', target: 'relaxed' });
  for (const { name, data } of files) writeFileSync(join(context.folder, name), data);
});
packages.after(({ folder }) => rmSync(folder, { recursive: true, force: true }));

/** Loads the package with each of the options, and says what came of it. `prepare` may change `bytes`. */
const program = (folder: string, options: readonly object[], prepare = ''): string => `
  import { readFileSync } from 'node:fs';
  import { setFlagsFromString } from 'node:v8';
  ${Number(process.versions.node.split('.')[0]) < 22 ? "setFlagsFromString('--experimental-wasm-relaxed-simd');" : ''}
  const { load } = await import(${JSON.stringify(pathToFileURL(join(folder, 'net.mjs')).href)});
  let bytes = readFileSync(${JSON.stringify(join(folder, 'net.wasm'))});
  ${prepare}
  const x = Float32Array.from({ length: 1200 }, (_, i) => Math.sin(i * 0.7) * 3);
  const results = [];
  for (const options of ${JSON.stringify(options)}) {
    const net = await load(bytes, options);
    const [y] = Object.values(net.run({ x }));
    results.push({ revectorized: net.revectorized, y: Array.from(y) });
  }
  console.log(JSON.stringify(results));`;

type Results = readonly { readonly revectorized: boolean; readonly y: readonly number[] }[];

const OPTIONS = [{}, { revectorize: true }, { warmUp: true }, { revectorize: true, warmUp: true }, {}];

packages('where V8 has no such pass the option changes nothing', ({ folder }) => {
  const results = runModule(process.execPath, program(folder, OPTIONS)) as Results;
  const able = Number(process.versions.node.split('.')[0]) >= 24;
  for (const [i, { revectorized, y }] of results.entries()) {
    assert.is(revectorized, able && i % 2 === 1);
    assert.equal(y, results[0]?.y);
  }
});

if (hasNode24('256-bit code of Node 24')) {
  packages('the results are equal, also after the same module was compiled the usual way', ({ folder }) => {
    const results = runModule(NODE24, program(folder, OPTIONS)) as Results;
    const usual = runModule(process.execPath, program(folder, [{}])) as Results;
    for (const [i, { revectorized, y }] of results.entries()) {
      assert.is(revectorized, i === 1 || i === 3);
      assert.equal(y, usual[0]?.y);
    }
  });

  packages('results that differ from the self-test of the module fall back to the usual code', ({ folder }) => {
    // another checksum of equal length in the custom section
    const spoil = `
      const text = bytes.toString('latin1');
      const at = text.indexOf('"fnv1a":"') + 9;
      bytes[at] = bytes[at] === 48 ? 49 : 48;`;
    const results = runModule(NODE24, program(folder, [{ revectorize: true }, {}], spoil)) as Results;
    assert.equal(
      results.map((r) => r.revectorized),
      [false, false],
    );
    assert.equal(results[0]?.y, results[1]?.y);
  });

  packages('bytes that are no module are reported as ever', ({ folder }) => {
    const text = `${program(folder, [])}
      await load(new Uint8Array(3), { revectorize: true }).catch((error) => console.log(JSON.stringify(error.message)));`;
    assert.match(
      runModule(NODE24, text.replace('console.log(JSON.stringify(results))', '')) as string,
      /not a WebAssembly module/,
    );
  });
}

packages.run();
