/** Pages in a headless Chromium, for tests. Without the browser or playwright-core they skip. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { skipUnless } from './skip.js';

const ENGINES = fileURLToPath(new URL('../engines/', import.meta.url));
const EXECUTABLE = process.env.QC_CHROMIUM ?? '/usr/bin/chromium';

/** Flags under which Chromium runs as root in a container and asks nothing of the network. */
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** The part of playwright's interface that the tests use. */
export interface Page {
  goto(url: string): Promise<unknown>;
  evaluate<T>(run: string | (() => T)): Promise<T>;
  click(selector: string): Promise<void>;
  locator(selector: string): { count(): Promise<number>; allTextContents(): Promise<string[]> };
  screenshot(options: object): Promise<Buffer>;
  waitForFunction(run: string): Promise<unknown>;
  emulateMedia(options: object): Promise<void>;
  on(event: 'console', listener: (message: { type(): string; text(): string }) => void): void;
  on(event: 'pageerror', listener: (error: Error) => void): void;
  on(event: 'request', listener: (request: { url(): string }) => void): void;
  close(): Promise<void>;
}

export interface Browser {
  newPage(options?: object): Promise<Page>;
  close(): Promise<void>;
}

const playwright = join(ENGINES, 'node_modules/playwright-core/package.json');

/** Whether there is a browser to test with; if not, says that `name` is skipped. */
export const hasChromium = (name: string): boolean =>
  skipUnless(existsSync(EXECUTABLE), name, `no Chromium at ${EXECUTABLE}`) &&
  skipUnless(existsSync(playwright), name, 'playwright-core is not installed in test/engines');

/** Starts the browser. Close it: it keeps the test's process alive. */
export function launchChromium(): Promise<Browser> {
  const { chromium } = createRequire(join(ENGINES, 'package.json'))('playwright-core') as {
    chromium: { launch(options: object): Promise<Browser> };
  };
  return chromium.launch({ executablePath: EXECUTABLE, args: FLAGS });
}

/** A page, and all that went wrong in it: errors and warnings on its console, exceptions, requests to the network. */
export async function openPage(browser: Browser, url: string, options: object = {}): Promise<[Page, string[]]> {
  const page = await browser.newPage({ viewport: { width: 1180, height: 900 }, ...options });
  const problems: string[] = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) problems.push(`${message.type()}: ${message.text()}`);
  });
  page.on('pageerror', (error) => problems.push(`exception: ${error.message}`));
  page.on('request', (request) => {
    if (!/^(file|data|blob):/.test(request.url())) problems.push(`request: ${request.url()}`);
  });
  await page.goto(url);
  return [page, problems];
}

/** The picture of a whole page as PNG. QC_SCREENSHOTS names a folder that keeps it as NAME.png. */
export async function screenshot(page: Page, name: string): Promise<Buffer> {
  const png = await page.screenshot({ fullPage: true });
  const folder = process.env.QC_SCREENSHOTS;
  if (folder) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, `${name}.png`), png);
  }
  return png;
}
