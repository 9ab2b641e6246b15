import type { Layer, LayerKind, LayerReport } from '../tasks/layers.js';
import { CALM_CORE, FAST_RATIO, JUDGED_SHARE } from '../tasks/layers.js';
import type { Timeline } from '../tasks/trace.js';
import { barCell, legend, strip, type Tone } from './charts.js';
import { type Html, html } from './html.js';
import type { Section } from './page.js';
import { type Cell, numberCell, table } from './table.js';

const TONES: Readonly<Record<LayerKind, Tone>> = { int8: 'int8', float: 'float', boundary: 'boundary' };
const percent = (share: number, digits = 1): string => `${(100 * share).toFixed(digits)} %`;
const share = (value: number, digits = 1): Cell => ({ show: percent(value, digits), sort: value });
const ids = (layer: Layer): Cell => ({ show: layer.ops.join('+') || '–', sort: layer.ops[0] ?? -1 });

const titleOf = (layer: Layer): string =>
  `${layer.type} ${layer.ops.join('+')}: ${layer.milliseconds.toFixed(3)} ms, ${percent(layer.share)}`;

function layerTable(layers: readonly Layer[]): Html {
  const most = Math.max(...layers.map((layer) => layer.share));
  const rows = layers.map((layer): Cell[] => [
    ids(layer),
    html`${layer.type} <span class="small muted mono">${layer.kernels.join(', ')}</span>${layer.name ? html`<div class="small muted">${layer.name}</div>` : null}`,
    numberCell(layer.milliseconds, 3),
    share(layer.share),
    { show: barCell(layer.share / most, TONES[layer.kind], titleOf(layer)), sort: layer.share },
    layer.macs > 0 ? numberCell(layer.gmacs, 1) : { show: '', sort: 0 },
    numberCell(layer.gbytes, 1),
    share(layer.peakShare, 0),
  ]);
  return table(
    [
      { title: 'id', kind: 'number', hint: 'Ids of the op and of those fused into it, as qc inspect shows them' },
      { title: 'layer', kind: 'wrap' },
      { title: 'ms', kind: 'number' },
      { title: 'share', kind: 'number' },
      { title: '', kind: 'bar' },
      { title: 'GMAC/s', kind: 'number', hint: 'Multiply-accumulates of the plain definition' },
      { title: 'GB/s', kind: 'number', hint: 'Operands, weights and results, once each' },
      { title: 'of peak', kind: 'number', hint: 'The least time this machine could need, by the time taken' },
    ],
    rows,
  );
}

/** The peaks are those of 128-bit instructions. */
const wider = (layers: readonly Layer[]): string =>
  layers.some((layer) => layer.peakShare > 1.05) ? ' They are those of 128-bit code; 256-bit code can pass them.' : '';

function verdictTable(layers: readonly Layer[]): Html | null {
  const judged = layers.filter((layer) => layer.verdict);
  if (judged.length === 0) return null;
  const rows = judged.map((layer): Cell[] => {
    const { verdict, product } = layer as Required<Layer>;
    const [height, width] = product.pixels;
    return [
      ids(layer),
      `${product.window.join('×')}, ${height}×${width} pixels, ${product.inner} → ${product.columns}`,
      share(layer.share),
      numberCell(verdict.perCycle, 1),
      { show: `${verdict.bestPerCycle.toFixed(1)} ${verdict.best}`, sort: verdict.bestPerCycle },
      {
        show: html`<span class="${verdict.fast ? 'good' : 'bad'}">${percent(verdict.ratio, 0)}</span>`,
        sort: verdict.ratio,
      },
      verdict.reasons.join('; '),
    ];
  });
  const fast = judged.filter((layer) => layer.verdict?.fast).length;
  return html`<h3>Against the best legal kernel</h3>
<p class="muted">Convolutions and products with more than ${percent(JUDGED_SHARE, 0)} of the time: ${fast} of ${judged.length} reach ${percent(FAST_RATIO, 0)} of the best kernel measured that ranges and geometry allow.</p>
${table(
  [
    { title: 'id', kind: 'number' },
    { title: 'layer' },
    { title: 'share', kind: 'number' },
    { title: 'MAC/cycle', kind: 'number', hint: 'A cycle is the time of 16 products of the probe' },
    { title: 'best', kind: 'number' },
    { title: 'ratio', kind: 'number' },
    { title: 'why not', kind: 'wrap' },
  ],
  rows,
)}`;
}

function lead({ run, sum, shares, calm, rounds, core }: LayerReport): string {
  const noise = core < CALM_CORE ? ` The machine was busy: the core had ${percent(core, 0)} of its best speed.` : '';
  return `The layers add up to ${sum.toFixed(3)} ms, a whole run takes ${run.toFixed(3)} ms (${percent(sum / run)}; ${calm} calm of ${rounds} runs). Outside of int8 kernels: ${percent(1 - shares.int8)} of the time.${noise}`;
}

/** The time per layer of one network: a run from left to right, the layers as a table, the verdicts. */
export function layerSection({ name, report }: Timeline, index = 0): Section {
  const { layers, peaks } = report;
  const slices = layers.map((layer) => ({ title: titleOf(layer), value: layer.milliseconds, tone: TONES[layer.kind] }));
  return {
    id: index === 0 ? 'layers' : `layers-${index + 1}`,
    title: `Time per layer: ${name.split(/[\\/]/).at(-1)}`,
    short: index === 0 ? 'Time per layer' : `(${index + 1})`,
    lead: lead(report),
    body: html`${strip(slices, 'One run, from the first layer to the last')}
${legend([
  ['int8', `int8 ${percent(report.shares.int8)}`],
  ['float', `float ${percent(report.shares.float)}`],
  ['boundary', `conversions ${percent(report.shares.boundary)}`],
])}
${layerTable(layers)}
<p class="muted">Peaks of this machine: probe ${peaks.probe.toFixed(1)}, i16 pairs ${peaks.pairs.toFixed(1)}${peaks.bytes > 0 ? `, relaxed bytes ${peaks.bytes.toFixed(1)}` : ''}, float32 ${peaks.reals.toFixed(1)} GMAC/s; copy ${peaks.stream.toFixed(1)} GB/s.${wider(layers)}</p>
${verdictTable(layers)}`,
  };
}
