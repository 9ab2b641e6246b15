import { argOp } from './arg-shared.js';

export const argMin = argOp('arg_min', 'ArgMin', 'min');
