import type { Options } from 'yargs';
import { usageError } from '../support/errors.js';
import { nearest } from './suggest.js';

/** What yargs found: flags by their long name, positional words under `_`. */
export type Parsed = Readonly<Record<string, unknown>> & { readonly _: readonly (string | number)[] };

/** One command of qc: what it takes, and what it does. */
export interface Command {
  readonly name: string;
  readonly summary: string;
  /** The one thing it works on, or several with `many`, as shown in the help; none where flags name everything. */
  readonly subject?: {
    readonly name: string;
    readonly doc: string;
    readonly many?: boolean;
    /** A flag that names it too, for command lines of the tools that came before. */
    readonly flag?: string;
  };
  readonly flags: Readonly<Record<string, Options>>;
  readonly examples: readonly (readonly [command: string, doc: string])[];
  /** `subjects` are all that were given; `subject` is the first. */
  run(subject: string, flags: Flags, subjects: readonly string[]): Promise<void>;
}

/** Flags that every command has. */
const GLOBAL_FLAGS = ['help', 'version'] as const;

/** Access to the flags of a command, each read in one way; a value that does not fit is a usage error. */
export class Flags {
  private readonly values: Parsed;

  constructor(values: Parsed) {
    this.values = values;
  }

  /** The same with other values for some flags. */
  with(changed: Readonly<Record<string, unknown>>): Flags {
    return new Flags({ ...this.values, ...changed });
  }

  /** Everything that was given for a flag, in order. */
  list(name: string): string[] {
    const value = this.values[name];
    if (value === undefined) return [];
    return (Array.isArray(value) ? value : [value]).map(String);
  }

  /** The one value of a flag, or undefined where it was not given. */
  text(name: string): string | undefined {
    const given = this.list(name);
    if (given.length > 1) throw usageError(`--${name} was given ${given.length} times; it takes one value`);
    return given[0];
  }

  /** A value that may not be empty. */
  required(name: string): string | undefined {
    const value = this.text(name);
    if (value?.trim() === '') throw usageError(`--${name} needs a value`);
    return value;
  }

  /** Whether a switch was given. */
  on(name: string): boolean {
    return this.list(name).includes('true');
  }

  /** The words of a list separated by commas, over all times that the flag was given; undefined where it was not. */
  words(name: string): string[] | undefined {
    if (this.values[name] === undefined) return undefined;
    const words = this.list(name).flatMap((text) => text.split(','));
    return words.map((word) => word.trim()).filter((word) => word !== '');
  }

  /** A number greater than 0. */
  positive(name: string): number | undefined {
    const text = this.required(name);
    if (text === undefined) return undefined;
    const value = Number(text);
    if (!Number.isFinite(value) || value <= 0)
      throw usageError(`--${name} takes a number greater than 0, not "${text}"`);
    return value;
  }

  /** A positive integer. */
  count(name: string): number | undefined {
    const text = this.required(name);
    if (text === undefined) return undefined;
    const value = Number(text);
    if (!Number.isSafeInteger(value) || value < 1)
      throw usageError(`--${name} takes a positive integer, not "${text}"`);
    return value;
  }
}

/** Throws a usage error for flags and words that the command does not know, naming what was probably meant. */
export function checkUnknown(command: Command, parsed: Parsed): void {
  const names = [...Object.keys(command.flags), ...GLOBAL_FLAGS];
  const short = Object.values(command.flags).flatMap((flag) => flag.alias ?? []);
  const known = new Set([...names, ...short, 'h', '_', '$0', ...(command.subject?.name.split('|') ?? [])]);
  const unknown = Object.keys(parsed).filter((name) => !known.has(name));
  if (unknown.length > 0) {
    const [first] = unknown as [string];
    const guess = nearest(first, names);
    const dashes = (name: string): string => (name.length === 1 ? `-${name}` : `--${name}`);
    throw usageError(`unknown flag${unknown.length > 1 ? 's' : ''} ${unknown.map(dashes).join(', ')}`, {
      remedy: guess ? `Did you mean --${guess}?` : `qc ${command.name} --help lists the flags.`,
    });
  }
  const words = parsed._.slice(1);
  if (words.length > 0)
    throw usageError(
      command.subject
        ? `qc ${command.name} takes one ${command.subject.name}, but also got ${words.join(', ')}`
        : `qc ${command.name} takes flags only, but got ${words.join(', ')}`,
    );
}
