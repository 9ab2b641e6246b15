/** The page of a benchmark: all sections, figures that are those of the benchmark, a browser that is content. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type BenchReport, benchPage } from '../../src/report/bench-page.js';
import { html } from '../../src/report/html.js';
import { renderPage } from '../../src/report/page.js';
import type { StepTime } from '../../src/runtime/net.js';
import type { BenchCase, BenchResult, CaseResult } from '../../src/tasks/bench.js';
import { analyzeLayers } from '../../src/tasks/layers.js';
import { hasChromium, launchChromium, openPage, screenshot } from '../support/chromium.js';
import { random } from '../support/network.js';

const next = random(11);

function caseResult(name: string, kind: BenchCase['kind'], time: number, more: Partial<BenchCase> = {}): CaseResult {
  const rounds = [1, 2, 3].map((i) => ({
    times: Array.from({ length: 60 }, () => time * (1 + 0.02 * next() + (next() > 0.9 ? 0.2 : 0))),
    cpuShare: 1,
    probe: [
      { mean: i === 2 ? 20 : 51, best: 52 },
      { mean: 51, best: 52 },
    ] as const,
  }));
  return {
    case: { subject: 'models/net <b>.onnx', name, kind, ...more },
    about: {
      node: 'v24.0.0',
      v8: '13',
      flags: [],
      relaxedSimd: true,
      ...(kind === 'peer' ? { package: '1.2.3' } : {}),
    },
    outputs: [],
    load: 20,
    firstRun: 50,
    warmUp: { runs: 100, milliseconds: 1000 },
    memory: 86e6,
    rounds,
  };
}

const step = (id: number, type: string, milliseconds: number, more: Partial<StepTime> = {}): StepTime => ({
  ops: type === 'border' ? [] : [id],
  type,
  name: `/block ${id}/${type}`,
  kernels: ['i16-gemm-4x8-requant-simd'],
  macs: type === 'conv2d' ? 1e7 : 0,
  bytes: 1e5,
  milliseconds,
  repeats: 1,
  ...more,
});

function report(): BenchReport {
  const shape = { size: 3.7e6, gzip: 2.8e6, instance: 14e6 };
  const results = [
    caseResult('int8 simd', 'int8', 10, shape),
    caseResult('int8 relaxed', 'int8', 5, shape),
    caseResult('fp32 relaxed', 'fp32', 20, { ...shape, size: 14e6 }),
    caseResult('onnxruntime-web', 'peer', 60),
  ];
  const options = { rounds: 3, milliseconds: 500, coldStarts: 3, threshold: 0.9, retries: 1 };
  const failed = [{ case: { ...results[3]!.case, name: 'onnxruntime-node' }, reason: 'cannot read it' }];
  const bench: BenchResult = { options, peak: 52, results, failed };
  const product = {
    kind: 'dense',
    pixels: [14, 14],
    columns: 64,
    groups: 1,
    inner: 96,
    window: [1, 1],
    allows: ['pairs', 'bytes'],
  } as const;
  const steps = [
    step(0, 'quantize', 0.1),
    step(1, 'conv2d', 0.3, { product }),
    step(2, 'conv2d', 0.9, { product }),
    step(3, 'softmax', 0.4),
    step(-1, 'border', 0.01),
  ];
  const sum = steps.reduce((n, s) => n + s.milliseconds, 0);
  const op = (id: number, type: string, int8: boolean) => ({ id, type, name: '', int8, inputs: [], outputs: [] });
  const layers = analyzeLayers(
    { rounds: 30, calm: 25, run: 1.75, sum, steps },
    [op(1, 'conv2d', true), op(2, 'conv2d', true), op(3, 'softmax', false)],
    { probe: 52, pairs: 40, bytes: 49, reals: 21, stream: 69 },
  );
  return {
    bench,
    machine: { processor: 'A CPU', cores: 2, platform: 'linux x64', memory: 2 ** 34, features: ['avx2'] },
    core: '1',
    date: '2030-01-02',
    timelines: [{ name: 'models/net <b>.onnx: int8 relaxed', report: layers }],
    builds: [
      {
        subject: 'models/net <b>.onnx',
        name: 'int8 relaxed',
        hashes: { model: 'ab'.repeat(32), options: 'cd'.repeat(32) },
      },
    ],
    notes: ['a note'],
  };
}

const further = { id: 'accuracy', title: 'Accuracy', body: html`<p>top-1</p>` };
const PAGE = renderPage(benchPage(report(), [further]));

test('the page has all sections and further ones, with the figures of the benchmark', async () => {
  if (!hasChromium('the page of a benchmark in a browser')) return;
  const folder = mkdtempSync(join(tmpdir(), 'qc-bench-page-'));
  const browser = await launchChromium();
  try {
    const file = join(folder, 'bench.html');
    writeFileSync(file, PAGE);
    const [page, problems] = await openPage(browser, pathToFileURL(file).href);
    const texts = (selector: string): Promise<string[]> => page.locator(selector).allTextContents();
    assert.equal(await page.evaluate('[...document.querySelectorAll("section.card")].map((s) => s.id)'), [
      'results',
      'latency',
      'layers',
      'accuracy',
      'method',
      'builds',
    ]);
    assert.equal(await texts('h1'), ['net <b>.onnx']);
    assert.is(await page.locator('#results tbody tr').count(), 4);
    assert.equal(
      (await texts('#results tbody td:nth-child(6)')).map((text) => Number.parseFloat(text).toFixed(0)),
      ['2', '4', '1', '0'],
      'speed against FP32',
    );
    assert.equal(await texts('#results tbody td:last-child'), ['2/3', '2/3', '2/3', '2/3']);
    assert.is(await page.locator('#latency svg').count(), 4);
    assert.is(await page.locator('#layers svg.strip rect').count(), 5);
    assert.match(
      (await texts('#layers .lead'))[0] as string,
      /add up to 1.710 ms, a whole run takes 1.750 ms \(97.7 %/,
    );
    assert.match((await texts('#layers .lead'))[0] as string, /Outside of int8 kernels: 29.8 % of the time/);
    assert.is(await page.locator('#layers table').count(), 2);
    assert.match((await texts('#layers table:last-of-type')).join(), /computes with pairs where bytes is legal/);
    assert.match((await texts('#method')).join(), /onnxruntime-node.*cannot read it/s);
    assert.match((await texts('.tiles')).join(), /[34]\.\d\d×/);
    const widths = 'document.documentElement.scrollWidth - document.documentElement.clientWidth';
    assert.is(await page.evaluate(widths), 0, 'nothing hangs over');
    assert.is(
      await page.evaluate(
        'Math.max(...[...document.querySelectorAll(".scroll")].map((e) => e.scrollWidth - e.clientWidth))',
      ),
      0,
      'tables fit the page',
    );
    await screenshot(page, 'bench-light');
    await page.emulateMedia({ colorScheme: 'dark' });
    await screenshot(page, 'bench-dark');
    assert.equal(problems, []);
  } finally {
    await browser.close();
    rmSync(folder, { recursive: true });
  }
});

test('the data in the page can be read by programs', () => {
  const json = /<script type="application\/json" id="report-data">(.*?)<\/script>/.exec(PAGE)?.[1] as string;
  const data = JSON.parse(json) as { bench: { results: { speedup: number; calm: number }[] }; timelines: unknown[] };
  assert.is(data.bench.results.length, 4);
  assert.ok(data.bench.results.every((r) => r.calm === 2 && r.speedup > 0));
  assert.is(data.timelines.length, 1);
});

test.run();
