import { type Html, html } from './html.js';

/** What a bar stands for; decides its colour. */
export type Tone = 'int8' | 'float' | 'boundary' | 'other' | 'accent';

const clamp = (share: number): number => Math.min(1, Math.max(0, Number.isFinite(share) ? share : 0));
const px = (value: number): string => value.toFixed(2);

/** A bar for a cell of a table: `share` of its width, in 0..1. */
export const barCell = (share: number, tone: Tone = 'accent', title = ''): Html =>
  html`<svg class="cell" viewBox="0 0 100 10" preserveAspectRatio="none" role="img" aria-label="${title}"><title>${title}</title><rect class="fill-${tone}" width="${px(100 * clamp(share))}" height="10"/></svg>`;

/** A part of a whole. */
export interface Slice {
  readonly title: string;
  readonly value: number;
  readonly tone: Tone;
}

/** Parts of a whole in order, from left to right, each as wide as its value. */
export function strip(slices: readonly Slice[], label: string): Html {
  const total = slices.reduce((sum, { value }) => sum + value, 0) || 1;
  let at = 0;
  const parts = slices.map(({ title, value, tone }) => {
    const x = at;
    at += (1000 * value) / total;
    return html`<rect class="fill-${tone}" x="${px(x)}" width="${px(at - x)}" height="40"><title>${title}</title></rect>`;
  });
  return html`<svg class="strip" viewBox="0 0 1000 40" preserveAspectRatio="none" role="img" aria-label="${label}">${parts}</svg>`;
}

/** What the colours of a chart mean. */
export const legend = (entries: readonly (readonly [tone: Tone, text: string])[]): Html =>
  html`<ul class="legend">${entries.map(
    ([tone, text]) =>
      html`<li><svg viewBox="0 0 10 10" aria-hidden="true"><rect class="fill-${tone}" width="10" height="10"/></svg>${text}</li>`,
  )}</ul>`;

/** A position on the axis of a histogram. */
export interface Mark {
  readonly label: string;
  readonly value: number;
}

const WIDTH = 1000;
const HEIGHT = 220;
const LEFT = 44;
const BOTTOM = 34;
const TOP = 26;

/** Round numbers that cover a range in about `count` steps. Source: Heckbert, "Nice Numbers for Graph Labels", 1990. */
export function ticks(low: number, high: number, count = 6): number[] {
  const span = high - low || Math.abs(high) || 1;
  const rough = span / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find((f) => f * power >= rough) as number);
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor((low + span) / step + 1e-9);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

/** Counts of values in bins of equal width; values above the last bin are counted in it. */
export function bins(values: readonly number[], low: number, high: number, count: number): number[] {
  const counts = new Array<number>(count).fill(0);
  for (const value of values) {
    const i = Math.floor(((value - low) / (high - low || 1)) * count);
    counts[Math.min(count - 1, Math.max(0, i))]! += 1;
  }
  return counts;
}

/** Options of a histogram. */
export interface HistogramOptions {
  readonly unit: string;
  /** What is counted. */
  readonly label: string;
  readonly marks?: readonly Mark[];
  readonly bins?: number;
  readonly tone?: Tone;
}

/** How often values occur. The axis ends at the 99th percentile and a little more; what lies beyond is in the last bar. */
export function histogram(values: readonly number[], options: HistogramOptions): Html {
  const { unit, label, marks = [], tone = 'accent' } = options;
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
  const low = at(0);
  const high = Math.max(Math.min(at(1), at(0.99) * 1.1), ...marks.map((m) => m.value), low + Number.EPSILON);
  const count = options.bins ?? Math.max(8, Math.min(48, Math.ceil(Math.sqrt(values.length) * 1.5)));
  const heights = bins(values, low, high, count);
  const most = Math.max(1, ...heights);
  const x = (value: number): number => LEFT + ((value - low) / (high - low || 1)) * (WIDTH - LEFT - 12);
  const y = (n: number): number => HEIGHT - BOTTOM - (n / most) * (HEIGHT - BOTTOM - TOP);
  const edge = (i: number): number => low + ((high - low) * i) / count;
  const digits = (value: number): string => Number(value.toPrecision(4)).toString();
  const bars = heights.map((n, i) => {
    const left = x(edge(i));
    const title = `${digits(edge(i))} to ${digits(edge(i + 1))} ${unit}: ${n}`;
    return html`<rect class="fill-${tone}" x="${px(left)}" y="${px(y(n))}" width="${px(Math.max(0.5, x(edge(i + 1)) - left - 1))}" height="${px(y(0) - y(n))}"><title>${title}</title></rect>`;
  });
  const axis = ticks(low, high).map(
    (value) =>
      html`<line class="axis" x1="${px(x(value))}" x2="${px(x(value))}" y1="${px(y(0))}" y2="${px(y(0) + 4)}"/><text x="${px(x(value))}" y="${px(y(0) + 17)}" text-anchor="middle">${value}</text>`,
  );
  const rows = ticks(0, most, 4)
    .filter((n) => Number.isInteger(n) && n > 0)
    .map(
      (n) =>
        html`<line class="axis" x1="${LEFT}" x2="${WIDTH - 12}" y1="${px(y(n))}" y2="${px(y(n))}"/><text x="${LEFT - 6}" y="${px(y(n) + 4)}" text-anchor="end">${n}</text>`,
    );
  return html`<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" role="img" aria-label="${label}">
${rows}${bars}
<line class="axis" x1="${LEFT}" x2="${WIDTH - 12}" y1="${px(y(0))}" y2="${px(y(0))}"/>${axis}
<text x="${WIDTH - 12}" y="${HEIGHT - 3}" text-anchor="end">${unit}</text>${markLines(marks, x)}</svg>`;
}

/** Vertical lines with labels; labels that would overlap go one line up, in turns. */
function markLines(marks: readonly Mark[], x: (value: number) => number): Html[] {
  const sorted = [...marks].sort((a, b) => a.value - b.value);
  let previous = -Infinity;
  let raised = false;
  return sorted.map(({ label, value }) => {
    const at = x(value);
    raised = at - previous < 7 * label.length && !raised;
    previous = at;
    const anchor = at > WIDTH - 80 ? 'end' : at < LEFT + 40 ? 'start' : 'middle';
    return html`<line class="mark" x1="${px(at)}" x2="${px(at)}" y1="${raised ? 12 : TOP}" y2="${HEIGHT - BOTTOM}"/><text x="${px(at)}" y="${raised ? 10 : TOP - 4}" text-anchor="${anchor}">${label}</text>`;
  });
}
