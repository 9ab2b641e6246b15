import { predicateOp } from './predicate.js';

export const isinfV2 = predicateOp({
  name: 'isinf_v2',
  doc: 'whether x is infinite',
  fn: 'is_inf',
  of: 'f32',
  onnx: {
    IsInf(context) {
      if (context.attrs.int('detect_positive', 1) === 0 || context.attrs.int('detect_negative', 1) === 0)
        context.unsupported('IsInf of one sign');
      return context.add('isinf_v2', {}, [context.input(0)]);
    },
  },
});
