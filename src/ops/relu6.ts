import { activationOp } from './unary.js';

export const relu6 = activationOp({
  name: 'relu6',
  doc: 'min(max(x, 0), 6); made from clip',
  activation: () => ({ kind: 'relu6' }),
  paddle: {
    relu6: (context) => {
      const max = context.attrs.float('threshold', 6);
      return max === 6
        ? context.add('relu6', {}, [context.input('X')])
        : context.add('clip', { min: 0, max }, [context.input('X')]);
    },
  },
});
