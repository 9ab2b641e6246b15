/**
 * Writes src/runtime/loader-text.ts: the loader (src/runtime/loader.ts with all it imports), each of its parts
 * (src/runtime/parts/), the two sides of pools and the worker of threads as JavaScript in strings, because compile() emits them without touching a disk.
 * Usage: tsx tools/embed-loader.ts
 */
import { readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

/** A file as JavaScript that declares one name: its only export. Lines are broken so that editors can show them. */
export function declarationText(file: string, name: string, scoped: boolean): string {
  const { outputFiles } = buildSync({
    absWorkingDir: root,
    entryPoints: [file],
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2022',
    minify: true,
    lineLimit: 110,
    charset: 'ascii',
    legalComments: 'none',
  });
  const code = outputFiles[0].text;
  const exported = new RegExp(`\\bexport\\s*\\{\\s*([\\w$]+)( as ${name})?\\s*\\};?\\s*$`).exec(code);
  if (!exported || (!exported[2] && exported[1] !== name))
    throw new Error(`${file} must export ${name} and nothing else`);
  const body = code.slice(0, exported.index).trimEnd();
  return scoped ? `const ${name}=(()=>{${body}\nreturn ${exported[1]}})();` : `${body}\nconst ${name}=${exported[1]};`;
}

/** A file's name as a name of a program. */
export const camelCase = (name: string): string => name.replace(/-(\w)/g, (_, c: string) => c.toUpperCase());

/** The texts by the name that each declares; parts have scopes of their own, so that short names do not clash. */
export function buildLoaderTexts(): Record<string, string> {
  const parts = readdirSync(join(root, 'src/runtime/parts'))
    .filter((file) => file.endsWith('.ts'))
    .sort()
    .map((file) => [camelCase(file.slice(0, -3)), file] as const);
  return {
    createLoader: declarationText('src/runtime/loader.ts', 'createLoader', false),
    poolOf: declarationText('src/runtime/pool.ts', 'poolOf', false),
    servePool: declarationText('src/runtime/pool-worker.ts', 'servePool', false),
    serveThread: declarationText('src/runtime/thread-worker.ts', 'serveThread', true),
    ...Object.fromEntries(
      parts.map(([name, file]) => [name, declarationText(`src/runtime/parts/${file}`, name, true)]),
    ),
  };
}

const quote = (line: string): string => {
  const escaped = line.replaceAll('\\', '\\\\');
  const single = line.split("'").length <= line.split('"').length;
  return single ? `'${escaped.replaceAll("'", "\\'")}'` : `"${escaped.replaceAll('"', '\\"')}"`;
};

/** A line of an object literal: a text under its name. */
export function entryText([name, text]: [string, string]): string {
  const lines = text.split('\n').map(quote);
  if (lines.length === 1) return `  ${name}: ${lines[0]},\n`;
  return `  ${name}: [\n${lines.map((line) => `    ${line},\n`).join('')}  ].join('\\n'),\n`;
}

/** The content of loader-text.ts, formatted as the formatter wants it. */
export function loaderTextModule(texts: Readonly<Record<string, string>>): string {
  return [
    '// Generated from loader.ts, pool.ts, pool-worker.ts, thread-worker.ts and parts/ by tools/embed-loader.ts; do not edit.\n',
    '// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the texts are programs with templates of their own\n\n',
    '/** The loader, its parts, the two sides of pools and the worker of threads as JavaScript: each a list of statements that declares the name it stands under. */\n',
    `export const LOADER_TEXTS = {\n${Object.entries(texts).map(entryText).join('')}};\n`,
  ].join('');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const texts = buildLoaderTexts();
  writeFileSync(join(root, 'src/runtime/loader-text.ts'), loaderTextModule(texts));
  for (const [name, text] of Object.entries(texts)) console.log(`${name}: ${text.length} bytes of JavaScript`);
}
