import { argOp } from './arg-shared.js';
import { importHardmax } from './import-choices.js';

export const argMax = argOp('arg_max', 'ArgMax', 'max', { Hardmax: importHardmax });
