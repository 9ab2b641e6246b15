import { internalError, modelError, QcError } from '../support/errors.js';

/** Importers quote what the file says, which may be of any length. */
const MAX_MESSAGE = 500;

/** The error with file and node; an Error of an importer is about the model, a TypeError and the like a bug of qc. */
export function withPlace(error: unknown, file: string | undefined, node?: string): QcError {
  const place = { ...(file === undefined ? {} : { file }), ...(node === undefined ? {} : { node }) };
  if (error instanceof QcError) return new QcError(error.kind, error.message, { ...place, ...error.where });
  const full = error instanceof Error ? error.message : String(error);
  const message = full.length > MAX_MESSAGE ? `${full.slice(0, MAX_MESSAGE)}...` : full;
  const isBug = error instanceof TypeError || error instanceof ReferenceError;
  return isBug
    ? internalError(`the import failed: ${message}`, { ...place, cause: error })
    : modelError(message, { ...place, cause: error });
}
