import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import vm from 'node:vm';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createLoader, type Net, type Source } from '../../src/runtime/loader.js';
import type { LoaderPart } from '../../src/runtime/part.js';
import { INFO, moduleBytes } from './module.js';

const X = 'x/in "1"';
const WASM = moduleBytes();
const { load, loadSync } = createLoader('tiny', () => WASM);
const feeds = () => ({ [X]: new Float32Array([1, 2, 3, 4]), m: new BigInt64Array([7n]) });

function checkRuns(net: Net): void {
  const { y, n } = net.run(feeds());
  assert.instance(y, Float32Array);
  assert.equal([...y], [3, 5, 7, 9]);
  assert.instance(n, BigInt64Array);
  assert.is(n[0], -7n);
}

const rejects = async (source: unknown, message: RegExp, options?: object): Promise<void> => {
  try {
    await load(source as Source, options);
  } catch (error) {
    assert.match((error as Error).message, message);
    return;
  }
  assert.unreachable(`load should reject with ${message}`);
};

let server: Server;
let base = '';
let folder = '';

test.before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'qc-loader-'));
  writeFileSync(join(folder, 'tiny module.wasm'), WASM);
  server = createServer((request, response) => {
    const path = request.url ?? '';
    const type = /\.wasm$/.test(path) ? 'application/wasm' : 'application/octet-stream';
    if (path.startsWith('/missing')) response.writeHead(404, 'Not Found').end('<!doctype html>');
    else if (path.startsWith('/page')) response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html>');
    else {
      const bytes = path.startsWith('/cut') ? WASM.subarray(0, WASM.length >> 1) : WASM;
      response.writeHead(200, { 'content-type': type, 'x-auth': request.headers['x-auth'] ?? '' }).end(bytes);
    }
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

test.after(() => {
  server.closeAllConnections();
  server.close();
  rmSync(folder, { recursive: true });
});

test('describes inputs and outputs in order', async () => {
  const net = await load();
  assert.equal(net.inputs, [
    { name: X, dtype: 'f32', shape: [1, 4] },
    { name: 'm', dtype: 'i64', shape: [] },
  ]);
  assert.equal(
    net.outputs.map((o) => o.name),
    ['y', 'n'],
  );
  assert.is(net.memoryBytes, 65536);
});

test('loads from nothing, bytes, a buffer, a module, a promise', async () => {
  const padded = Buffer.concat([Buffer.alloc(5), WASM]).subarray(5);
  const module = new WebAssembly.Module(WASM);
  const sources = [undefined, WASM, padded, WASM.slice().buffer, module, Promise.resolve(module)];
  for (const source of sources) checkRuns(await load(source as Source));
  for (const source of [WASM, padded, WASM.slice().buffer, module]) checkRuns(loadSync(source as typeof WASM));
});

test('loads what belongs to another realm', async () => {
  const foreign = vm.runInNewContext('(b) => Uint8Array.from(b)')([...WASM]) as Uint8Array;
  const net = await load(foreign);
  const x = vm.runInNewContext('Float32Array.of(1, 2, 3, 4)') as Float32Array;
  assert.equal([...(net.run({ ...feeds(), [X]: x }).y as Float32Array)], [3, 5, 7, 9]);
});

test('loads from a file: URL, a path, http, a Response, a data: URL', async () => {
  const path = join(folder, 'tiny module.wasm');
  checkRuns(await load(pathToFileURL(path)));
  checkRuns(await load(pathToFileURL(path).href));
  checkRuns(await load(path));
  checkRuns(await load(new URL(`${base}/tiny.wasm`)));
  checkRuns(await load(`${base}/tiny.wasm`));
  checkRuns(await load(fetch(`${base}/tiny.wasm`)));
  checkRuns(await load(await fetch(`${base}/tiny.wasm`)));
  checkRuns(await load(`data:application/wasm;base64,${Buffer.from(WASM).toString('base64')}`));
});

test('a server with the wrong MIME type does no harm', async () => {
  checkRuns(await load(`${base}/tiny.bin`));
  checkRuns(await load(new Response(WASM)));
});

test('options: first or second, and a fetch of the caller', async () => {
  let asked = '';
  const own = (url: string | URL) => {
    asked = String(url);
    return fetch(`${base}/tiny.wasm`);
  };
  checkRuns(await load('anything', { fetch: own }));
  assert.is(asked, 'anything');
  const withUrl = createLoader('tiny', () => new URL('file:///nowhere/tiny.wasm'));
  checkRuns(await withUrl.load({ fetch: own }));
  assert.is(asked, 'file:///nowhere/tiny.wasm');
});

test('a batch of k items loops', () => {
  const net = loadSync(WASM);
  const { y, n } = net.run({ [X]: Float32Array.from({ length: 12 }, (_, i) => i), m: BigInt64Array.of(1n, 2n, 3n) });
  assert.equal(
    [...y],
    Array.from({ length: 12 }, (_, i) => 2 * i + 1),
  );
  assert.equal([...n], [-1n, -2n, -3n]);
});

test('a static batch takes any number of items', () => {
  const shape = [4, 1];
  const tensor = (name: string, offset: number) => ({ name, dtype: 'f32' as const, shape, offset });
  const entry = { export: 'run', batch: 4, inputs: [tensor('x', 64)], outputs: [tensor('y', 128)] };
  const net = loadSync(moduleBytes({ ...INFO, entries: [entry] }));
  for (const items of [1, 3, 4, 5, 8, 11]) {
    const x = Float32Array.from({ length: items }, (_, i) => i);
    assert.equal(
      [...net.run({ x }).y],
      [...x].map((v) => 2 * v + 1),
    );
  }
  assert.throws(() => net.run({ x: new Float32Array(0) }), /was given 0 elements; a batch of k items has k x 1/);
});

test('run copies: the result survives the next run, the input is untouched', () => {
  const net = loadSync(WASM);
  const given = feeds();
  const { y } = net.run(given);
  net.run({ ...given, [X]: new Float32Array(4) });
  assert.equal([...y], [3, 5, 7, 9]);
  assert.equal([...given[X]], [1, 2, 3, 4]);
});

test('views work without a copy', () => {
  const net = loadSync(WASM);
  net.input(X).set([1, 2, 3, 4] as never);
  const y = net.output('y');
  net.runInPlace();
  assert.equal([...y], [3, 5, 7, 9]);
  assert.is(net.output('y').buffer, y.buffer);
});

test('init runs once at load; instances are separate', () => {
  const module = new WebAssembly.Module(WASM);
  const [a, b] = [loadSync(module), loadSync(module)];
  assert.is(new Int32Array(a.input(X).buffer as ArrayBuffer, 0, 1)[0], 1);
  a.input('m').fill(5n as never);
  assert.is(b.input('m')[0], 0n);
});

test('parts choose sources, add members and take the place of nets, in order', async () => {
  const asked: string[] = [];
  const part = (id: string): LoaderPart => ({
    source: (given) => {
      asked.push(`${id} source ${typeof given}`);
      return WASM;
    },
    imports: () => {
      asked.push(`${id} imports`);
      return {};
    },
    extend: (net, { info, describe }) => {
      asked.push(`${id} extend`);
      Object.assign(net, { [id]: describe(info.entries[0]!.outputs[0]!) });
    },
    ready: async (net, context) => {
      asked.push(`${id} ready`);
      return id === 'b' ? Object.assign(await context.instantiate(context.module), { first: net }) : net;
    },
  });
  const loader = createLoader('tiny', () => 'nowhere', [part('a'), part('b')]);
  const net = (await loader.load()) as Net & { a: string; b: string; first: Net };
  checkRuns(net);
  assert.is(net.a, '"y" (Float32Array of 4, shape [1,4])');
  net.free();
  checkRuns(net.first);
  const made = ['a imports', 'b imports', 'a extend', 'b extend'];
  assert.equal(asked, ['a source string', 'b source object', ...made, 'a ready', 'b ready', ...made]);
  asked.length = 0;
  checkRuns(loader.loadSync(WASM));
  assert.equal(asked, made);
});

test('two loads at the same time', async () => {
  const nets = await Promise.all([load(), load(`${base}/tiny.wasm`), load(WASM)]);
  nets.forEach(checkRuns);
});

test('wrong names, types and lengths say what is expected', () => {
  const net = loadSync(WASM);
  const run = (input: unknown) => () => net.run(input as Record<string, Float32Array>);
  const good = feeds();
  assert.throws(
    run({ x: good[X] }),
    /no input "x"; the inputs are "x\/in "1"" \(Float32Array of 4, shape \[1,4\]\), "m"/,
  );
  assert.throws(run({ [X]: good[X] }), /input "m" \(BigInt64Array of 1, shape \[\]\) was given nothing/);
  assert.throws(run({ ...good, [X]: [1, 2, 3, 4] }), /\(Float32Array of 4, shape \[1,4\]\) was given an Array/);
  assert.throws(run({ ...good, [X]: 4 }), /was given a Number/);
  assert.throws(run({ ...good, [X]: null }), /was given null/);
  assert.throws(run({ ...good, [X]: new Float64Array(4) }), /was given a Float64Array/);
  assert.throws(run({ ...good, [X]: new Float32Array(6) }), /was given 6 elements; a batch of k items has k x 4/);
  assert.throws(run({ ...good, [X]: new Float32Array(0) }), /was given 0 elements/);
  assert.throws(run({ ...good, [X]: new Float32Array(8) }), /different batch sizes: 2, 1/);
  for (const nothing of [undefined, null, good[X], [good[X]]]) assert.throws(run(nothing), /run takes an object/);
  assert.throws(() => net.input('y'), /no input "y"; the inputs are/);
  assert.throws(() => net.output('z'), /no output "z"; the outputs are "y"/);
  checkRuns(net);
});

test('uint8 inputs take canvas pixels; bool is a Uint8Array', () => {
  const inputs = [
    { name: 'a', dtype: 'u8', shape: [4], offset: 64 },
    { name: 'b', dtype: 'bool', shape: [2], offset: 32 },
  ];
  const net = loadSync(moduleBytes({ ...INFO, entries: [{ export: 'run', inputs, outputs: [] }] }));
  assert.equal(net.run({ a: new Uint8ClampedArray(4) as unknown as Uint8Array, b: new Uint8Array(2) }), {});
  assert.throws(
    () => net.run({ a: new Int8Array(4), b: new Uint8Array(2) }),
    /Uint8Array of 4.* was given an Int8Array/,
  );
});

test('a net that was freed says so', () => {
  const net = loadSync(WASM);
  net.free();
  net.free();
  for (const use of [() => net.run(feeds()), () => net.input(X), () => net.output('y'), () => net.runInPlace()])
    assert.throws(use, /tiny: the net was freed/);
});

test('damaged, empty and foreign modules are errors that say so', async () => {
  await rejects(WASM.subarray(0, WASM.length >> 1), /tiny: truncated or damaged/);
  await rejects(`${base}/cut.wasm`, /tiny: truncated or damaged/);
  await rejects(new Uint8Array(), /not a WebAssembly module: it is empty/);
  await rejects(`${base}/page`, /not a WebAssembly module: it starts with "<!doctype html>"/);
  await rejects(moduleBytes(null), /not a module made by qc/);
  await rejects(
    moduleBytes({ ...INFO, version: 2, compiler: '9.9.9' }),
    /made by qc 9.9.9 in format 2, this loader reads/,
  );
  assert.throws(() => loadSync(WASM.subarray(0, 60)), /truncated or damaged/);
  assert.throws(() => loadSync(Buffer.from('GIF89a')), /it starts with "GIF89a"/);
  const imports = '(module (import "env" "f" (func)) (memory (export "memory") 1))';
  await rejects(moduleBytes(INFO, imports), /tiny: cannot be instantiated/);
  assert.throws(() => loadSync(moduleBytes(INFO, imports)), /tiny: cannot be instantiated/);
});

test('sources that cannot be read or are none are errors that say so', async () => {
  await rejects(`${base}/missing.wasm`, /cannot fetch http.*missing.wasm: 404 Not Found/);
  await rejects('http://127.0.0.1:1/x.wasm', /cannot fetch/);
  await rejects(join(folder, 'none.wasm'), /cannot read .*none.wasm: ENOENT/);
  await rejects(42, /load takes a URL, a Response, bytes or a WebAssembly.Module, not Number/);
  await rejects([1, 2], /not Array/);
  const used = new Response(WASM);
  await used.arrayBuffer();
  await rejects(used, /already read/);
  assert.throws(() => loadSync('x.wasm' as never), /loadSync takes bytes or a WebAssembly.Module, not String/);
});

test.run();
