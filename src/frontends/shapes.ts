/** Values of more elements than this do not fit a module's memory. */
const MAX_ELEMENTS = 2 ** 30;

/** Whether dimensions are sizes with a product in bounds. Empty tensors are, but not along with giant dimensions. */
export function isPossibleShape(shape: readonly number[], limit = MAX_ELEMENTS): boolean {
  if (!shape.every((d) => Number.isSafeInteger(d) && d >= 0)) return false;
  return shape.reduce((n, d) => n * Math.max(d, 1), 1) <= limit;
}
