/**
 * The classifier of text lines of PaddleOCR (index 0: upright, 1: turned by 180 degrees), for `qc eval --metric`.
 *
 * PaddleOCR turns a line where the probability of 180 degrees is above a threshold, 0.9: turning a line that was upright
 * costs its text, so this is measured besides the plain accuracy.
 *
 *     qc eval cls --data lines --fit line --interpolation bilinear --order bgr --mean 0.5 --std 0.5 \
 *         --metric text-angle.mjs
 *
 * Parameter behind the question mark: `threshold`.
 */
const threshold = Number(new URL(import.meta.url).searchParams.get('threshold') ?? 0.9);

/** @type {import('qc-compiler').Metric} */
export default {
  name: 'text angle',

  score({ name, label, outputs }) {
    const [upright, turned] = Object.values(outputs)[0].data;
    if (label === undefined) throw new Error(`${name} has no label`);
    return { label, right: (turned > upright ? 1 : 0) === label, turns: turned > threshold };
  },

  summarize(scores) {
    const share = (list, of) => (list.length > 0 ? list.filter(of).length / list.length : 0);
    const [upright, turned] = [0, 1].map((label) => scores.filter((s) => s.label === label));
    return {
      accuracy: share(scores, (s) => s.right),
      'turned lines found': share(turned, (s) => s.turns),
      'upright lines turned': share(upright, (s) => s.turns),
    };
  },
};
