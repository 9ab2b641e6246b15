/** Every example runs in its engine and knows the seven. */
import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { PNG } from 'pngjs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compile } from '../../src/compile.js';
import { ROOT } from '../support/models.js';
import { skipUnless } from '../support/skip.js';
import { browsing, CHROMIUM, INSTALL, installed, output, type Page, serving } from './engines.js';

interface ExamplePage extends Page {
  setInputFiles(selector: string, path: string): Promise<void>;
  waitForSelector(selector: string): Promise<{ textContent(): Promise<string> }>;
}

let folder = '';
let seven: { data: Uint8ClampedArray; width: number; height: number };
const at = (...path: string[]): string => join(folder, 'examples', ...path);

test.before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'qc-examples-'));
  cpSync(join(ROOT, 'examples'), at(), { recursive: true });
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(ROOT, join(folder, 'node_modules/qc-compiler'));
  const labels = readFileSync(at('shared/labels.txt'), 'utf8').trim().split('\n');
  const imageInput = { name: 'image', mean: [0], std: [1] };
  const { files } = await compile(readFileSync(at('digits/digits.onnx')), { name: 'digits', imageInput, labels });
  for (const example of ['node', 'deno', 'bun', 'worker', 'browser']) {
    mkdirSync(at(example, 'out'), { recursive: true });
    for (const { name, data } of files) writeFileSync(at(example, 'out', name), data);
  }
  seven = ((await import(pathToFileURL(at('shared/seven.mjs')).href)) as { seven: typeof seven }).seven;
});
test.after(() => rmSync(folder, { recursive: true }));

/** The lines that all examples print. */
const isSeven = (text: string): void => assert.match(text, /^seven \d+\.\d\d\n\w+ -?\d+\.\d\d\n\w+ -?\d+\.\d\d\s*$/);

test('node', async () => isSeven(await output(process.execPath, ['main.mjs'], at('node'))));

const DENO = installed('@deno/linux-x64-glibc/deno');
if (skipUnless(existsSync(DENO), 'the Deno example', `${DENO} is not installed`))
  test('deno', async () => isSeven(await output(DENO, ['run', '--allow-read', '--no-config', 'main.ts'], at('deno'))));

const BUN = installed('@oven/bun-linux-x64/bin/bun');
if (skipUnless(existsSync(BUN), 'the Bun example', `${BUN} is not installed`))
  test('bun', async () => isSeven(await output(BUN, ['main.ts'], at('bun'))));

const WORKERD = installed('@cloudflare/workerd-linux-64/bin/workerd');
if (skipUnless(existsSync(WORKERD), 'the Cloudflare Worker example', `${WORKERD} is not installed`))
  test('worker', async () => {
    const args = ['serve', 'worker.capnp', '--socket-addr', 'http=127.0.0.1:0', '--control-fd=3'];
    const child = spawn(WORKERD, args, { cwd: at('worker'), stdio: ['ignore', 'inherit', 'inherit', 'pipe'] });
    try {
      const port = await new Promise<number>((resolve, reject) => {
        child.on('exit', (code) => reject(new Error(`workerd ended with ${code}`)));
        child.stdio[3]?.on('data', (line: Buffer) => {
          const found = /"event":"listen".*"port":(\d+)/.exec(String(line));
          if (found) resolve(Number(found[1]));
        });
      });
      const { data, width, height } = seven;
      const post = (query: string) =>
        fetch(`http://127.0.0.1:${port}/?${query}`, { method: 'POST', body: data as BodyInit });
      const classes = (await (await post(`width=${width}&height=${height}`)).json()) as { label: string }[];
      assert.is(classes[0]?.label, 'seven');
      const wrong = await post('width=3&height=3');
      assert.is(wrong.status, 400);
      assert.match(await wrong.text(), /4 for each pixel/);
    } finally {
      child.removeAllListeners('exit');
      child.kill();
    }
  });

const hasChromium = (title: string): boolean => skipUnless(existsSync(CHROMIUM), title, `${CHROMIUM} is not installed`);

if (hasChromium('the example of a page'))
  test('browser: a file is drawn and classified', () =>
    serving({ folder: at('browser') }, (base) =>
      browsing(async (plain) => {
        const page = plain as ExamplePage;
        const { width, height } = seven;
        const png = Object.assign(new PNG({ width, height }), { data: Buffer.from(seven.data) });
        writeFileSync(at('seven.png'), PNG.sync.write(png));
        await page.goto(`${base}/index.html`);
        // the policy of the page forbids evaluation, so what is shown is read from the document by selectors
        await page.waitForSelector('#status:has-text("loaded")');
        await page.setInputFiles('#file', at('seven.png'));
        const best = await page.waitForSelector('#classes li:first-child');
        assert.match(await best.textContent(), /^seven /);
      }),
    ));

const hasVite = existsSync(join(INSTALL, 'node_modules/vite'));
if (hasChromium('the Vite example') && skipUnless(hasVite, 'the Vite example', 'vite is not installed'))
  test('vite', async () => {
    symlinkSync(join(INSTALL, 'node_modules/vite'), join(folder, 'node_modules/vite'));
    await output(process.execPath, [join(INSTALL, 'node_modules/vite/bin/vite.js'), 'build'], at('vite'));
    await serving({ folder: at('vite/dist') }, (base) =>
      browsing(async (page) => {
        const printed = page.waitForEvent('console', { predicate: (m) => m.text().startsWith('seven ') });
        await page.goto(`${base}/index.html`);
        isSeven((await printed).text());
      }),
    );
  });

test.run();
