/**
 * Intersection over union of segmentation maps, for `qc eval --metric`.
 *
 * The first target is the truth: class numbers [H, W] (a grey PNG or an integer array), or a map of probabilities of the
 * output's shape, such as the output of a reference. The first output is [1, C, H, W]: with one channel a probability that
 * is cut at a threshold, with more the class of the greatest value counts.
 *
 *     qc eval det --data pages --targets masks --metric segmentation-iou.mjs
 *     qc eval det --data test_sets --metric 'segmentation-iou.mjs?threshold=0.3'
 *
 * Parameters behind the question mark: `threshold` (0.5) of probabilities, `ignore` (255), a class that is not counted,
 * `output`, the name of the output.
 */
const parameters = new URL(import.meta.url).searchParams;
const threshold = Number(parameters.get('threshold') ?? 0.5);
const ignored = Number(parameters.get('ignore') ?? 255);

/** The class of every pixel of a map [1, C, H, W] or [H, W]. */
function classes({ shape, data, dtype }) {
  const pixels = shape.slice(-2).reduce((n, d) => n * d, 1);
  const channels = data.length / pixels;
  if (dtype !== 'f32') return Array.from(data, Number);
  return Array.from({ length: pixels }, (_, i) => {
    if (channels === 1) return data[i] > threshold ? 1 : 0;
    let best = 0;
    for (let c = 1; c < channels; c++) if (data[c * pixels + i] > data[best * pixels + i]) best = c;
    return best;
  });
}

/** @type {import('qc-compiler').Metric} */
export default {
  name: 'segmentation IoU',

  /** Pixels by class of one picture: in both maps, and in either. */
  score({ name, outputs, targets }) {
    const output = outputs[parameters.get('output') ?? Object.keys(outputs)[0]];
    if (!output) throw new Error(`the network has no output "${parameters.get('output')}"`);
    if (targets.length === 0) throw new Error(`${name} has no target: --targets names the folder with the masks`);
    const [found, truth] = [classes(output), classes(targets[0])];
    if (found.length !== truth.length)
      throw new Error(`the target of ${name} has ${truth.length} pixels, the output ${found.length}`);
    const counts = {};
    truth.forEach((wanted, i) => {
      if (wanted === ignored) return;
      for (const c of new Set([wanted, found[i]])) {
        counts[c] ??= { both: 0, either: 0 };
        counts[c].either++;
        if (wanted === found[i]) counts[c].both++;
      }
    });
    return counts;
  },

  /** The mean over the classes, and of two classes the one that is not the background. */
  summarize(scores) {
    const total = {};
    for (const counts of scores)
      for (const [c, { both, either }] of Object.entries(counts)) {
        total[c] ??= { both: 0, either: 0 };
        total[c].both += both;
        total[c].either += either;
      }
    const names = Object.keys(total).sort((a, b) => Number(a) - Number(b));
    const iou = (c) => total[c].both / total[c].either;
    const pixels = (of) => names.reduce((n, c) => n + of(total[c]), 0);
    const mean = names.reduce((sum, c) => sum + iou(c), 0) / names.length;
    const right = pixels((t) => t.both);
    const wrong = (pixels((t) => t.either) - right) / 2;
    const figures = { 'mean IoU': mean, 'pixel accuracy': right / (right + wrong) };
    return names.length <= 2 && total[1] ? { 'IoU of class 1': iou(1), ...figures } : figures;
  },
};
