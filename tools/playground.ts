/**
 * Builds the playground, a page in which the compiler itself runs, and serves it on this machine.
 * Usage: tsx tools/playground.ts [PORT]
 */
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { maintainedProtobuf } from './maintained-protobuf.js';

const SOURCE = fileURLToPath(new URL('../docs/playground/', import.meta.url));

/** Writes the page and the compiler for it into a folder. Throws where the compiler needs a builtin of Node. */
export async function buildPlayground(folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const { metafile } = await build({
    entryPoints: [join(SOURCE, 'page.ts'), join(SOURCE, 'worker.ts')],
    outdir: folder,
    bundle: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    minify: true,
    // Binaryen imports builtins where it finds Node, which a page is not
    external: ['node:*'],
    plugins: [maintainedProtobuf],
    metafile: true,
    logLevel: 'error',
  });
  for (const [path, { imports }] of Object.entries(metafile.inputs)) {
    const builtins = imports.filter((i) => i.path.startsWith('node:') && !path.includes('node_modules/binaryen/'));
    if (builtins.length > 0) throw new Error(`${path} imports ${builtins.map((i) => i.path).join(', ')}`);
  }
  copyFileSync(join(SOURCE, 'index.html'), join(folder, 'index.html'));
}

const TYPES: Readonly<Record<string, string>> = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript' };

async function serve(port: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'qc-playground-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  process.on('SIGINT', () => process.exit());
  await buildPlayground(folder);
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    const path = join(folder, normalize(decodeURIComponent(pathname === '/' ? '/index.html' : pathname)));
    const type = TYPES[extname(path)];
    if (!path.startsWith(folder) || !type || !existsSync(path)) return void response.writeHead(404).end('not found');
    response.writeHead(200, { 'content-type': type }).end(readFileSync(path));
  });
  server.on('error', (error: NodeJS.ErrnoException) => {
    console.error(error.code === 'EADDRINUSE' ? `port ${port} is in use: npm run playground -- PORT` : error.message);
    process.exitCode = 4;
  });
  server.listen(port, '127.0.0.1', () => console.log(`http://localhost:${port}/ (Ctrl-C ends it)`));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await serve(Number(process.argv[2] ?? 8080));
