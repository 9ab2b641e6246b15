/** What kind of thing went wrong; decides the exit code of the command line. */
export type ErrorKind = 'check' | 'usage' | 'model' | 'io' | 'internal';

/** Exit codes of the command line, one per kind. */
export const EXIT_CODES: Readonly<Record<ErrorKind, number>> = { check: 1, usage: 2, model: 3, io: 4, internal: 70 };

/** Where an error was found and what the user can do about it. */
export interface ErrorDetails {
  /** The file that was being read or written. */
  readonly file?: string;
  /** The node of the source model, as `type (id) name`. */
  readonly node?: string;
  /** What to do about it, as a full sentence. */
  readonly remedy?: string;
  readonly cause?: unknown;
}

/** Every error that qc throws on purpose. Anything else that escapes is a bug of qc. */
export class QcError extends Error {
  readonly kind: ErrorKind;
  readonly where: ErrorDetails;

  constructor(kind: ErrorKind, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'QcError';
    this.kind = kind;
    this.where = details;
  }

  /** The message with file, node and remedy, for a person to read. */
  format(): string {
    const { file, node, remedy } = this.where;
    const where = [file, node].filter((part) => part !== undefined).join(': ');
    return [where ? `${where}: ${this.message}` : this.message, remedy].filter(Boolean).join('\n  ');
  }
}

/** Something that the user asked to be checked does not hold. */
export const checkError = (message: string, details?: ErrorDetails): QcError => new QcError('check', message, details);
/** An unusable option or argument. */
export const usageError = (message: string, details?: ErrorDetails): QcError => new QcError('usage', message, details);
/** A model or data file that cannot be understood or is not supported. */
export const modelError = (message: string, details?: ErrorDetails): QcError => new QcError('model', message, details);
/** A file that cannot be read or written. */
export const ioError = (message: string, details?: ErrorDetails): QcError => new QcError('io', message, details);
/** A broken invariant of qc itself. */
export const internalError = (message: string, details?: ErrorDetails): QcError =>
  new QcError('internal', message, details);

/** Throws an internal error unless the condition holds. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw internalError(message);
}

/** For `switch` over a union: a missing case is a compile error, and an unexpected value an internal one. */
export function unreachable(value: never): never {
  throw internalError(`unexpected value ${String(value)}`);
}
