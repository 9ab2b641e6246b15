import type { Value } from '../ir/graph.js';
import { f32 } from '../ir/tensor.js';
import { FLOAT32_MAX } from './clip.js';
import { predicateOp } from './predicate.js';

export const isinfV2 = predicateOp({
  name: 'isinf_v2',
  doc: 'whether x is infinite',
  fn: 'is_inf',
  of: 'f32',
  onnx: {
    IsInf(context) {
      const [above, below] = ['positive', 'negative'].map((side) => context.attrs.int(`detect_${side}`, 1) !== 0);
      const x = context.input(0);
      const beyond = (limit: number): Value => {
        const bound = context.literal('limit', f32([], [limit]));
        return context.add('less_than', {}, limit > 0 ? [bound, x] : [x, bound]);
      };
      if (above && !below) return beyond(FLOAT32_MAX);
      if (below && !above) return beyond(-FLOAT32_MAX);
      if (!above) return context.add('logical_and', {}, [beyond(FLOAT32_MAX), beyond(-FLOAT32_MAX)]);
      return context.add('isinf_v2', {}, [x]);
    },
  },
});
