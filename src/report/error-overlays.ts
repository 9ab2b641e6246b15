import type { Comparison } from '../tasks/compare/compare.js';
import { type Distance, REACH } from '../tasks/compare/statistics.js';
import type { Overlay } from './explorer-data.js';

const BLOCKS = '\u2581\u2582\u2583\u2584\u2585\u2586\u2587\u2588';

/** Signal to noise as text. */
export const decibels = (sqnr: number): string =>
  sqnr === Number.POSITIVE_INFINITY ? 'equal' : `${sqnr.toFixed(1)} dB`;

/** A histogram in one line: the highest bin is full. */
export function sparkline(shares: readonly number[]): string {
  const most = Math.max(...shares);
  return shares
    .map((share) =>
      share === 0 ? ' ' : BLOCKS[Math.min(7, Math.floor((Math.log1p(share * 1000) / Math.log1p(most * 1000)) * 8))],
    )
    .join('');
}

/** What is known of the distance of a tensor, in a line or two. */
export const distanceText = ({ sqnr, cosine, maxError, clipped, histogram }: Distance): string =>
  `${decibels(sqnr)}, cosine ${cosine.toFixed(5)}, largest error ${maxError.toPrecision(3)}, ${(100 * clipped).toFixed(2)} % clipped; errors of -${REACH}..${REACH} quanta [${sparkline(histogram)}]`;

type Values = Overlay['values'];

/** Heat maps of a comparison for the explorer: error at every op, what each op loses, and what it does to the outputs. */
export function errorOverlays({ tensors, sensitivity }: Comparison): Overlay[] {
  const bounded = (v: number): number => Math.max(-20, Math.min(100, v));
  const ofOps = tensors.flatMap((t) => (t.op ? [{ ...t, id: t.op.id }] : []));
  const error: Values = Object.fromEntries(
    ofOps.map((t) => [
      t.id,
      { value: -bounded(t.int8.sqnr), text: `int8 ${distanceText(t.int8)}; fake-quantized ${decibels(t.fake.sqnr)}` },
    ]),
  );
  const loss: Values = Object.fromEntries(
    ofOps.map((t) => [t.id, { value: Math.min(40, t.loss), text: `${t.loss.toFixed(1)} dB are lost here` }]),
  );
  const overlays: Overlay[] = [
    { title: 'error against float', low: 'small', high: 'large', values: error },
    { title: 'error that the op adds', low: 'none', high: 'much', values: loss },
  ];
  if (sensitivity.length > 0)
    overlays.push(
      {
        title: 'alone in int8',
        low: 'harmless',
        high: 'harmful',
        values: Object.fromEntries(
          sensitivity.map((s) => [
            s.id,
            { value: -bounded(s.alone), text: `outputs at ${decibels(s.alone)} with this op alone in int8` },
          ]),
        ),
      },
      {
        title: 'alone in float',
        low: 'no gain',
        high: 'gain',
        values: Object.fromEntries(
          sensitivity.map((s) => [
            s.id,
            { value: s.gain, text: `outputs gain ${s.gain.toFixed(1)} dB with this op alone in float` },
          ]),
        ),
      },
    );
  return overlays;
}
