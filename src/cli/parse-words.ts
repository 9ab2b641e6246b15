import yargs, { type Options } from 'yargs';
import { usageError } from '../support/errors.js';
import { Flags, type Parsed } from './command.js';

/** Settings under which yargs gives exactly what was typed. */
export const PARSER = {
  'boolean-negation': false,
  'camel-case-expansion': false,
  'dot-notation': false,
  'parse-numbers': false,
  'parse-positional-numbers': false,
  'strip-aliased': true,
};

/** Flags inside of the value of another flag, as words and flags; words in quotes may hold spaces. */
export function parseWords(text: string, known: Readonly<Record<string, Options>>): { words: string[]; flags: Flags } {
  const parts = Array.from(text.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g), ([, a, b, c]) => a ?? b ?? c ?? '');
  const parser = yargs(parts)
    .parserConfiguration(PARSER)
    .help(false)
    .version(false)
    .exitProcess(false)
    .fail((message, error: Error | undefined) => {
      throw usageError(`"${text}": ${message ?? error?.message}`);
    });
  for (const [name, options] of Object.entries(known)) parser.option(name, options);
  const parsed = parser.parseSync() as unknown as Parsed;
  const odd = Object.keys(parsed).find((name) => name !== '_' && name !== '$0' && !(name in known));
  if (odd) throw usageError(`"${text}": unknown flag --${odd}`);
  return { words: parsed._.map(String), flags: new Flags(parsed) };
}
