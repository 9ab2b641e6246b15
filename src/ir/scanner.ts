import { modelError, type QcError } from '../support/errors.js';
import { parseNumber } from './literal.js';

const WORD = /[A-Za-z_][\w.]*/y;
const STRING = /"(?:[^"\\]|\\.)*"/y;
const INTEGER = /-?\d+/y;
const NUMBER = /-?(?:inf|nan|\d+(?:\.\d+)?(?:e[+-]?\d+)?)/y;

/** Reads one line of the text form from left to right; every complaint names the line and the column. */
export class Scanner {
  private at = 0;
  private readonly text: string;
  private readonly line: number;

  constructor(text: string, line: number) {
    this.text = text;
    this.line = line;
  }

  /** An error at the present position. */
  error(message: string, at = this.at): QcError {
    return modelError(`line ${this.line}, column ${at + 1}: ${message}`);
  }

  private space(): void {
    while (this.text[this.at] === ' ' || this.text[this.at] === '\t' || this.text[this.at] === '\r') this.at++;
  }

  private match(pattern: RegExp): string | undefined {
    this.space();
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0];
    if (found !== undefined) this.at += found.length;
    return found;
  }

  private want(pattern: RegExp, what: string): string {
    const found = this.match(pattern);
    if (found === undefined) throw this.error(`expected ${what}`);
    return found;
  }

  /** Whether nothing but space is left. */
  get done(): boolean {
    this.space();
    return this.at >= this.text.length;
  }

  /** The next character that is not space. */
  get next(): string | undefined {
    this.space();
    return this.text[this.at];
  }

  /** Takes `token` if it comes next. */
  take(token: string): boolean {
    this.space();
    if (!this.text.startsWith(token, this.at)) return false;
    this.at += token.length;
    return true;
  }

  /** Takes `token`, which must come next. */
  expect(token: string): void {
    if (!this.take(token)) throw this.error(`expected \`${token}\``);
  }

  word(what = 'a word'): string {
    return this.want(WORD, what);
  }

  integer(what = 'an integer'): number {
    const start = this.at;
    const value = Number(this.want(INTEGER, what));
    if (!Number.isSafeInteger(value)) throw this.error(`${what} is out of range`, start);
    return value;
  }

  /** A number as it is written. */
  numeral(what = 'a number'): string {
    return this.want(NUMBER, what);
  }

  number(what = 'a number'): number {
    return parseNumber(this.numeral(what));
  }

  string(what = 'a string in double quotes'): string {
    const start = this.at;
    const text = this.want(STRING, what);
    try {
      return JSON.parse(text) as string;
    } catch {
      throw this.error(`${what} has an invalid escape`, start);
    }
  }

  /** A word, or a string where the name is no word. */
  name(what: string): string {
    return this.match(WORD) ?? this.string(what);
  }

  /** `[a, b, ...]`, or nothing between the brackets. */
  list<T>(open: string, close: string, item: () => T): T[] {
    this.expect(open);
    const items: T[] = [];
    if (this.take(close)) return items;
    do {
      if (this.take('...') || this.take('#'))
        throw this.error('this is the short form; only the full form can be read');
      items.push(item());
    } while (this.take(','));
    if (this.take('...')) throw this.error('this is the short form; only the full form can be read');
    this.expect(close);
    return items;
  }
}
