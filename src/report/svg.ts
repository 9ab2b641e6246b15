import type { Snapshot } from '../ir/snapshot.js';
import { drawBox, drawLink, escapeXml, MARKERS } from './client/explorer/draw.js';
import { LIGHT, plainStyle } from './graph-style.js';
import type { Layouts } from './layout.js';
import { type Box, sceneOf } from './scene.js';

const LEGEND: readonly (readonly [kind: Box['kind'], text: string, note: string])[] = [
  ['int8', 'int8', 'computes on codes'],
  ['float', 'float', 'computes on reals'],
  ['boundary', 'boundary', 'quantize, dequantize, requantize'],
  ['open', 'not placed yet', ''],
  ['terminal', 'input, output', ''],
];

const [TOP, LEGEND_HEIGHT] = [44, 52];

function legend(y: number): { readonly svg: string; readonly width: number } {
  let x = 24;
  const boxes = LEGEND.map(([kind, title, note]) => {
    const w = Math.round(Math.max(title.length * 7, note.length * 6.1)) + 28;
    const svg = drawBox({ key: `legend-${kind}`, kind, title, extra: '', note, h: 38 }, { x, y, w });
    x += w + 12;
    return svg;
  });
  return { svg: boxes.join('\n'), width: x + 12 };
}

/** A graph as an SVG picture of its own, on a light ground, with a title and a legend. */
export function drawSvg(snapshot: Snapshot, title: string, layouts: Layouts): string {
  const scene = sceneOf(snapshot);
  const { w, h, boxes, links } = layouts.of(scene);
  const foot = legend(TOP + h);
  const width = Math.max(w, foot.width, title.length * 9 + 48);
  const height = TOP + h + LEGEND_HEIGHT;
  const left = Math.round((width - w) / 2);
  const lines = links.map(([, , points], i) => drawLink(points, scene.links[i]?.codes ? 'c' : 'r'));
  const nodes = scene.boxes.map((box, i) =>
    drawBox(box, { x: boxes[4 * i] as number, y: boxes[4 * i + 1] as number, w: boxes[4 * i + 2] as number }),
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" class="graph" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">
<title>${escapeXml(title)}</title>
<style>${plainStyle(LIGHT)}</style>
<defs>${MARKERS}</defs>
<rect width="${width}" height="${height}" fill="#ffffff"/>
<text x="24" y="30" style="font-size: 16px; font-weight: 650">${escapeXml(title)}</text>
<g transform="translate(${left} ${TOP})">
${[...lines, ...nodes].join('\n')}
</g>
${foot.svg}
</svg>
`;
}
