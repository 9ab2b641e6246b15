import type { TypedArray } from '../net.js';
import type { LoaderPart } from '../part.js';

/** The classes with the highest scores; packages with labels or an image input have it. */
export const classify: LoaderPart = {
  extend(net, { name, info }) {
    const [output] = net.outputs as [(typeof net.outputs)[number]];
    const [input] = net.inputs as [(typeof net.inputs)[number]];
    const best = (scores: TypedArray, topK: number) =>
      Array.from(scores, Number)
        .map((score, index) => ({ index, score, ...(info.labels ? { label: info.labels[index] as string } : {}) }))
        .sort((a, b) => b.score - a.score || a.index - b.index)
        .slice(0, topK);
    Object.assign(net, {
      classify(given: object, { topK = 5 } = {}) {
        if (!Number.isInteger(topK) || topK < 1)
          throw new RangeError(`${name}: topK is a positive integer, not ${topK}`);
        const single = ArrayBuffer.isView(given) || 'data' in given;
        const result = net.run((single ? { [input.name]: given } : given) as Parameters<typeof net.run>[0]);
        const pick = (outputs: Awaited<typeof result>) => best(outputs[output.name] as TypedArray, topK);
        return result instanceof Promise ? result.then(pick) : pick(result);
      },
    });
  },
};
