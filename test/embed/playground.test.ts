/** The playground in Chromium: the compiler runs in the page. */
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { buildPlayground } from '../../tools/playground.js';
import { DIGITS } from '../support/models.js';
import { skipUnless } from '../support/skip.js';
import { browsing, CHROMIUM, type Page, serving } from './engines.js';

interface PlaygroundPage extends Page {
  setInputFiles(selector: string, path: string): Promise<void>;
  waitForFunction(text: string, argument?: unknown, options?: { timeout: number }): Promise<unknown>;
  evaluate<T>(text: string): Promise<T>;
  screenshot(options: { path: string; fullPage?: boolean }): Promise<unknown>;
  setViewportSize(size: { width: number; height: number }): Promise<void>;
}

let folder = '';
test.before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'qc-playground-test-'));
  await buildPlayground(folder);
});
test.after(() => rmSync(folder, { recursive: true }));

const finished = `/^Done/.test(document.getElementById('status').textContent) || document.getElementById('status').className === 'bad'`;
const GRAPHS = `document.getElementById('graphs').contentDocument`;

const title = 'the playground compiles the digit model and shows its graphs';
if (skipUnless(existsSync(CHROMIUM), title, `${CHROMIUM} is not installed`)) {
  test(title, () =>
    serving({ folder }, (base) =>
      browsing(async (plain) => {
        const page = plain as PlaygroundPage;
        await page.setViewportSize({ width: 1200, height: 1000 });
        await page.goto(`${base}/index.html`);
        await page.setInputFiles('#file', DIGITS);
        await page.waitForFunction(finished, null, { timeout: 120_000 });
        assert.match(await page.evaluate<string>(`document.getElementById('status').textContent`), /^Done/);
        await page.waitForFunction(`${GRAPHS}.querySelectorAll('svg g').length > 10`, null, { timeout: 20_000 });
        const rows = await page.evaluate<string[]>(
          `[...document.querySelectorAll('#times tbody tr')].map((r) => r.innerText)`,
        );
        assert.is(rows.length, 2);
        assert.match(rows[0]!, /^FP32 .* ms/s);
        assert.match(rows[1]!, /^INT8 .* ms.*\d times as fast/s);
        const files = await page.evaluate<string[]>(
          `[...document.querySelectorAll('#downloads a')].map((a) => a.download)`,
        );
        assert.equal(files, ['digits.wasm', 'digits.mjs', 'digits.d.ts']);
        const magic = `fetch(document.querySelector('#downloads a').href).then((r) => r.arrayBuffer()).then((b) => String.fromCharCode(...new Uint8Array(b, 1, 3)))`;
        assert.is(await page.evaluate<string>(magic), 'asm');
        const text = await page.evaluate<string>(`${GRAPHS}.body.innerText`);
        assert.match(text, /conv2d/);
        const path = process.env.QC_SCREENSHOT ?? join(folder, 'playground.png');
        await page.screenshot({ path, fullPage: true });
        assert.ok(statSync(path).size > 20_000, 'the picture is not empty');
      }),
    ),
  );

  test('what cannot be compiled is told in the page', () =>
    serving({ folder }, (base) =>
      browsing(async (plain) => {
        const page = plain as PlaygroundPage;
        await page.goto(`${base}/index.html`);
        await page.setInputFiles('#file', join(folder, 'page.js'));
        await page.waitForFunction(finished, null, { timeout: 60_000 });
        assert.match(await page.evaluate<string>(`document.getElementById('status').textContent`), /page\.js: /);
      }),
    ));
}

test.run();
