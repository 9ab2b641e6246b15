import { roundAway } from './import-paddle-fake.js';
import { importUnary, unaryOp } from './unary-function.js';

export const round = unaryOp({
  name: 'round',
  doc: 'the nearest integer, ties to even',
  fn: 'round',
  paddle: { round: (context) => roundAway(context, context.input('X')) },
  onnx: { Round: importUnary('round') },
});
