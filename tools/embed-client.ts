/**
 * Writes src/report/client-text.ts: the scripts of the pages (src/report/client/) as JavaScript in strings, because pages
 * are made without touching a disk. Usage: tsx tools/embed-client.ts
 */
import { readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { camelCase, declarationText, entryText } from './embed-loader.js';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

/** The texts by the name that each declares, each in a scope of its own. */
export function buildClientTexts(): Record<string, string> {
  const files = readdirSync(join(root, 'src/report/client')).filter((file) => file.endsWith('.ts'));
  return Object.fromEntries(
    files.sort().map((file) => {
      const name = camelCase(file.slice(0, -3));
      return [name, declarationText(`src/report/client/${file}`, name, true)];
    }),
  );
}

/** The content of client-text.ts, formatted as the formatter wants it. */
export function clientTextModule(texts: Readonly<Record<string, string>>): string {
  return [
    '// Generated from client/ by tools/embed-client.ts; do not edit.\n',
    '// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the texts are programs with templates of their own\n\n',
    '/** The scripts of pages as JavaScript: each declares the function whose name it stands under. */\n',
    `export const CLIENT_TEXTS = {\n${Object.entries(texts).map(entryText).join('')}};\n`,
  ].join('');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const texts = buildClientTexts();
  writeFileSync(join(root, 'src/report/client-text.ts'), clientTextModule(texts));
  for (const [name, text] of Object.entries(texts)) console.log(`${name}: ${text.length} bytes of JavaScript`);
}
