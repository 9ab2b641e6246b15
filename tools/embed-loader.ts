/**
 * Writes src/runtime/loader-text.ts: the JavaScript of src/runtime/loader.ts as a string, because compile() emits the
 * loader without touching a disk. Usage: tsx tools/embed-loader.ts
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { transformSync } from 'esbuild';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

/** The loader as JavaScript that declares one name, `createLoader`. */
export function buildLoaderText(): string {
  const source = readFileSync(join(root, 'src/runtime/loader.ts'), 'utf8');
  // Lines are broken so that the emitted file can be read in any editor and diffed.
  const { code } = transformSync(source, {
    loader: 'ts',
    format: 'esm',
    target: 'es2022',
    minify: true,
    lineLimit: 110,
    charset: 'ascii',
    legalComments: 'none',
  });
  const exported = /\bexport\s*\{\s*([\w$]+) as createLoader\s*\};?\s*$/.exec(code);
  if (!exported) throw new Error('the loader must export createLoader and nothing else');
  return `${code.slice(0, exported.index).trimEnd()}\nconst createLoader=${exported[1]};`;
}

/** The content of loader-text.ts, formatted as the formatter wants it. */
export function loaderTextModule(text: string): string {
  const quote = (line: string): string => {
    const escaped = line.replaceAll('\\', '\\\\');
    const single = line.split("'").length <= line.split('"').length;
    return single ? `'${escaped.replaceAll("'", "\\'")}'` : `"${escaped.replaceAll('"', '\\"')}"`;
  };
  const lines = text.split('\n').map((line) => `  ${quote(line)},\n`);
  return [
    '// Generated from loader.ts by tools/embed-loader.ts; do not edit.\n',
    '// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the text is a program with templates of its own\n\n',
    '/** The loader as JavaScript: a list of statements that declares `createLoader`. */\n',
    `export const LOADER_TEXT = [\n${lines.join('')}].join('\\n');\n`,
  ].join('');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const text = buildLoaderText();
  writeFileSync(join(root, 'src/runtime/loader-text.ts'), loaderTextModule(text));
  console.log(`src/runtime/loader-text.ts: ${text.length} bytes of JavaScript`);
}
