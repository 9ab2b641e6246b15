import { argOp } from './arg-shared.js';

export const argMax = argOp('arg_max', 'ArgMax', 'max');
