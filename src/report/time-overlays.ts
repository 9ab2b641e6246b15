import type { LayerReport } from '../tasks/layers.js';
import type { Overlay } from './explorer-data.js';

const share = (part: number): string => `${(100 * part).toFixed(1)} %`;

/**
 * Heat maps of a profile for the explorer: where the time goes, and who falls short of what the machine can do. A layer's
 * figures stand at every op that it computes; a share of the peak has only who takes some of the time.
 */
export function timeOverlays({ layers }: LayerReport): Overlay[] {
  const ofOps = layers.flatMap((layer) => layer.ops.map((id) => ({ id, layer })));
  return [
    {
      title: 'time',
      low: 'short',
      high: 'long',
      values: Object.fromEntries(
        ofOps.map(({ id, layer }) => [
          id,
          {
            value: layer.milliseconds,
            text: `${layer.milliseconds.toPrecision(3)} ms, ${share(layer.share)} of the time; ${layer.macs > 0 ? `${layer.gmacs.toFixed(1)} GMAC/s, ` : ''}${layer.bytes} bytes at ${layer.gbytes.toFixed(1)} GB/s`,
          },
        ]),
      ),
    },
    {
      title: 'share of the attainable peak',
      low: 'at the peak',
      high: 'far below',
      values: Object.fromEntries(
        ofOps.map(({ id, layer }) => [
          id,
          {
            value: -Math.min(1, layer.peakShare),
            text: [`${share(layer.peakShare)} of what this machine could do`, ...(layer.verdict?.reasons ?? [])].join(
              '; ',
            ),
          },
        ]),
      ),
    },
  ];
}
