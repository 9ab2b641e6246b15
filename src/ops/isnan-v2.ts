import { ofX } from './import-paddle.js';
import { predicateOp } from './predicate.js';

export const isnanV2 = predicateOp({
  name: 'isnan_v2',
  doc: 'whether x is not a number',
  fn: 'is_nan',
  of: 'f32',
  paddle: { isnan_v2: ofX('isnan_v2') },
  onnx: { IsNaN: (context) => context.add('isnan_v2', {}, [context.input(0)]) },
});
