/** Pages: nothing that a model is called gets out of its place, charts say what they show, and a browser is content. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { barCell, bins, histogram, legend, strip, ticks } from '../../src/report/charts.js';
import { CLIENT_TEXTS } from '../../src/report/client-text.js';
import { html, jsonScript } from '../../src/report/html.js';
import { type Page, renderPage } from '../../src/report/page.js';
import { facts, numberCell, table } from '../../src/report/table.js';
import { buildClientTexts, clientTextModule } from '../../tools/embed-client.js';
import { hasChromium, launchChromium, openPage, screenshot } from '../support/chromium.js';
import { random } from '../support/network.js';

const HOSTILE = `"><script>alert(1)</script>'&\u2028`;

const latencies = ((next) => Array.from({ length: 400 }, () => 10 + 0.3 * next() + (next() > 0.9 ? 3 * next() : 0)))(
  random(5),
);

const PAGE: Page = {
  title: `net ${HOSTILE}`,
  kicker: 'test',
  subtitle: html`made of <b>parts</b>`,
  tiles: [
    { label: 'INT8', value: '10.2 ms', note: '2.1 times as fast' },
    { label: 'size', value: '3.69 MB' },
  ],
  sections: [
    {
      id: 'layers',
      title: 'Layers',
      lead: 'One row for each.',
      body: html`${strip(
        [
          { title: HOSTILE, value: 3, tone: 'int8' },
          { title: 'b', value: 1, tone: 'float' },
        ],
        'run',
      )}
${legend([
  ['int8', 'int8'],
  ['float', 'float'],
])}
${table(
  [{ title: 'name' }, { title: 'ms', kind: 'number' }, { title: '', kind: 'bar' }],
  [
    ['conv10', numberCell(0.9, 3), barCell(0.09)],
    [HOSTILE, numberCell(10, 3), barCell(1, 'float', HOSTILE)],
    ['conv9', numberCell(2.5, 3), barCell(0.25, 'int8')],
  ],
)}`,
    },
    {
      id: 'latency',
      title: 'Latency',
      body: histogram(latencies, { unit: 'ms', label: 'runs', marks: [{ label: 'p50', value: 10 }] }),
    },
    { id: 'facts', title: 'Facts', body: facts([['name', HOSTILE]]), script: 'globalThis.own = 1;' },
  ],
  data: { text: '</script><script>alert(2)</script>' },
};

test('client-text.ts is what tools/embed-client.ts makes of the scripts', () => {
  const file = new URL('../../src/report/client-text.ts', import.meta.url);
  assert.is(readFileSync(file, 'utf8'), clientTextModule(buildClientTexts()), 'run: npx tsx tools/embed-client.ts');
  for (const text of Object.values(CLIENT_TEXTS)) assert.not.match(text, /\beval\b|new Function|innerHTML|<\/script/);
});

test('templates escape what is inserted, and only that', () => {
  const inner = html`<i title="${'"'}">${'<&'}</i>`;
  assert.is(html`<p>${inner}${[1, 'a>', null, false]}</p>`.text, '<p><i title="&quot;">&lt;&amp;</i>1a&gt;</p>');
  assert.not.match(jsonScript('d', '</script>').text.slice(0, -9), /<\/script/);
  assert.not.match(renderPage(PAGE), /alert\(\d\)<\/script>/);
});

test('rows must fit their columns', () => {
  assert.throws(() => table([{ title: 'a' }], [['x', 'y']]), /2 cells in 1 columns/);
});

test('axes have round numbers, bins hold every value', () => {
  assert.equal(ticks(0, 10, 5), [0, 2, 4, 6, 8, 10]);
  assert.equal(ticks(0.13, 0.48, 4), [0.2, 0.3, 0.4]);
  for (const [low, high] of [
    [0, 0],
    [5, 5],
    [1e-9, 3e-9],
    [-4, 7e6],
  ] as const) {
    const list = ticks(low, high);
    assert.ok(list.length > 0 && list.length <= 8 && list.every((v) => v >= low - 1e-12), `${low} to ${high}: ${list}`);
  }
  assert.equal(bins([0, 1, 1.9, 2, 9, 10, 42], 0, 10, 5), [3, 1, 0, 0, 3]);
  const counts = [...histogram(latencies, { unit: 'ms', label: '' }).text.matchAll(/ms: (\d+)</g)];
  assert.is(
    counts.reduce((sum, m) => sum + Number(m[1]), 0),
    latencies.length,
  );
  for (const values of [[], [3], [2, 2, 2]])
    assert.not.match(histogram(values, { unit: 's', label: '' }).text, /NaN|Infinity/);
});

test('a browser shows the page without complaint, in light, dark and print', async () => {
  if (!hasChromium('pages in a browser')) return;
  const folder = mkdtempSync(join(tmpdir(), 'qc-page-'));
  const browser = await launchChromium();
  try {
    const file = join(folder, 'page.html');
    writeFileSync(file, renderPage(PAGE));
    const [page, problems] = await openPage(browser, pathToFileURL(file).href);
    assert.equal(await page.locator('section.card h2').allTextContents(), ['Layers', 'Latency', 'Facts']);
    assert.is(await page.evaluate('document.title'), `net ${HOSTILE}`.replace('\u2028', '\u2028'));
    assert.is(await page.evaluate('own'), 1);
    assert.equal(await page.evaluate('JSON.parse(document.getElementById("report-data").textContent)'), PAGE.data);
    const column = (): Promise<string[]> => page.locator('tbody tr td:first-child').allTextContents();
    await page.click('th:nth-child(2) button');
    assert.equal(await column(), [HOSTILE, 'conv9', 'conv10'], 'numbers, the greatest first');
    await page.click('th:nth-child(2) button');
    assert.equal(await column(), ['conv10', 'conv9', HOSTILE]);
    await page.click('th:nth-child(1) button');
    assert.equal((await column()).slice(1), ['conv9', 'conv10'], 'texts, numbers inside by value');
    const light = await screenshot(page, 'page-light');
    await page.emulateMedia({ colorScheme: 'dark' });
    const dark = await screenshot(page, 'page-dark');
    await page.emulateMedia({ media: 'print', colorScheme: 'light' });
    const print = await screenshot(page, 'page-print');
    assert.ok(!light.equals(dark) && !light.equals(print), 'the style depends on the medium');
    assert.equal(problems, []);
  } finally {
    await browser.close();
    rmSync(folder, { recursive: true });
  }
});

test.run();
