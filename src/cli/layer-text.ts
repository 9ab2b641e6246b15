import { CALM_CORE, FAST_RATIO, JUDGED_SHARE, type Layer, type LayerKind } from '../tasks/layers.js';
import type { Timeline } from '../tasks/trace.js';
import { ms } from './bench-text.js';
import { alignColumns, resultColors } from './terminal.js';

const BAR = 24;
const EIGHTHS = ' ▏▎▍▌▋▊▉';

/** A bar of text, `share` of its full width. */
function bar(share: number): string {
  const eighths = Math.round(Math.min(1, share) * BAR * 8);
  return `${'█'.repeat(eighths >> 3)}${eighths % 8 ? EIGHTHS[eighths % 8] : ''}`;
}

const percent = (share: number, digits = 1): string => `${(100 * share).toFixed(digits)} %`;
const PAINT: Readonly<Record<LayerKind, (text: string) => string>> = {
  int8: (text) => text,
  float: resultColors.yellow,
  boundary: resultColors.dim,
};
const HEAD = ['id', 'type', 'in', 'ms', 'share', 'GMAC/s', 'GB/s', 'of peak', 'kernel', ''];
const kernelsOf = ({ kernels }: Layer): string => kernels.join(', ');

function layerRows(layers: readonly Layer[]): string[] {
  const most = Math.max(...layers.map((layer) => layer.share));
  const rows = layers.map((layer) => [
    layer.ops.join('+') || '-',
    layer.type,
    layer.kind === 'boundary' ? '-' : layer.kind,
    ms(layer.milliseconds),
    percent(layer.share),
    layer.macs > 0 ? layer.gmacs.toFixed(1) : '',
    layer.gbytes.toFixed(1),
    percent(layer.peakShare, 0),
    kernelsOf(layer),
    bar(layer.share / most),
  ]);
  const [head, ...lines] = alignColumns([HEAD, ...rows], [0, 3, 4, 5, 6, 7]);
  return [resultColors.bold(head as string), ...lines.map((line, i) => PAINT[(layers[i] as Layer).kind](line))];
}

/** Convolutions and products that take more than a hundredth of the time, against the best legal kernel. */
function verdictRows(layers: readonly Layer[]): string[] {
  const judged = layers.filter((layer) => layer.verdict);
  if (judged.length === 0) return [];
  const rows = judged.map((layer) => {
    const { verdict, product } = layer as Required<Layer>;
    const [rows, cols] = product.pixels;
    return [
      layer.ops.join('+'),
      `${product.window.join('x')} ${rows}x${cols}, ${product.inner} -> ${product.columns}`,
      percent(layer.share),
      verdict.perCycle.toFixed(1),
      `${verdict.bestPerCycle.toFixed(1)} ${verdict.best}`,
      percent(verdict.ratio, 0),
      verdict.reasons.join('; '),
    ];
  });
  const head = ['id', 'layer', 'share', 'MAC/cycle', 'best legal', 'ratio', ''];
  const [first, ...lines] = alignColumns([head, ...rows], [0, 2, 3, 5]);
  const short = judged.filter((layer) => !layer.verdict?.fast).length;
  return [
    '',
    `convolutions and products over ${percent(JUDGED_SHARE, 0)} of the time: ${judged.length - short} of ${judged.length} reach ${percent(FAST_RATIO, 0)} of the best legal kernel`,
    resultColors.bold(first as string),
    ...lines.map((line, i) => (judged[i]?.verdict?.fast ? line : resultColors.yellow(line))),
  ];
}

/** The layers of a case: a table with bars, what they add up to, and how they compare with the best kernels. */
export function layerText({ name, report }: Timeline): string {
  const { run, sum, layers, shares, peaks, rounds, calm, core } = report;
  const { probe, pairs, bytes, reals, stream } = peaks;
  const relaxed = bytes > 0 ? `, relaxed bytes ${bytes.toFixed(1)}` : '';
  return [
    resultColors.bold(name),
    resultColors.dim(
      `peaks: probe ${probe.toFixed(1)}, i16 pairs ${pairs.toFixed(1)}${relaxed}, reals ${reals.toFixed(1)} GMAC/s, copy ${stream.toFixed(1)} GB/s`,
    ),
    ...layerRows(layers),
    '',
    `the layers add up to ${ms(sum)} ms, a whole run takes ${ms(run)} ms (${percent(sum / run)}; ${calm} calm of ${rounds} runs)`,
    `outside of int8 kernels: ${percent(1 - shares.int8)} of the time (float ${percent(shares.float)}, conversions ${percent(shares.boundary)})`,
    ...(core < CALM_CORE
      ? [
          `${resultColors.yellow('noise:')} the core had ${percent(core, 0)} of its best speed meanwhile: MAC/cycle allows for it`,
        ]
      : []),
    ...verdictRows(layers),
  ].join('\n');
}
