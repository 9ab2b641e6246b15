/** A string literal in ASCII; names of a model may hold anything, also what would end a line or a comment. */
export const quote = (text: string): string =>
  JSON.stringify(text)
    .replace(/[^\x20-\x7e]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .replaceAll('*/', '*\\/');

/** The relative URL of a file; the characters that a URL gives a meaning of its own are escaped. */
export const urlOf = (file: string): string => `./${file.replace(/[%?#\\]/g, encodeURIComponent)}`;

/**
 * A function that starts a worker of a package, as source. Bundlers know `new Worker(new URL(literal, import.meta.url), ...)`
 * by its form; Node has its class of workers elsewhere.
 */
export function spawnText(name: string, file: string): string {
  const url = `new URL(${quote(urlOf(file))}, import.meta.url)`;
  return [
    '() => {',
    `  if (globalThis.Worker) return new Worker(${url}, { type: 'module' });`,
    "  const threads = globalThis.process?.getBuiltinModule?.('node:worker_threads');",
    `  if (!threads) throw new Error(${quote(`${name}: this engine has no workers`)});`,
    `  return new threads.Worker(${url});`,
    '}',
  ].join('\n');
}
