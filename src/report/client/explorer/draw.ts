// Draws boxes and links as SVG text; runs in the page and in the compiler alike.

import type { Box } from '../../scene.js';

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** Text that stands for itself in SVG, without characters that XML forbids. */
export const escapeXml = (text: string): string =>
  text
    // biome-ignore lint/suspicious/noControlCharactersInRegex: names of a model may hold any character
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|[\ud800-\udfff]/gu, ' ')
    .replace(/[&<>"]/g, (c) => ENTITIES[c] as string);

/** A letter for each kind of change that is worth one, shown at the corner of a box. */
export const MARKS: Readonly<Record<string, string>> = {
  added: '+',
  fused: 'F',
  rewritten: 'R',
  retyped: 'T',
  rewired: 'I',
  placed: 'P',
};

/** How a box is drawn besides what it says. */
export interface BoxLook {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  /** What changed in this pass. */
  readonly status?: string | undefined;
  readonly selected?: boolean;
  /** A colour in place of that of its kind. */
  readonly fill?: string | undefined;
}

/** A box with its title, note, stripe of colour, and a mark where it changed. */
export function drawBox(box: Pick<Box, 'key' | 'kind' | 'title' | 'extra' | 'note' | 'h'>, look: BoxLook): string {
  const { x, y, w, status, selected, fill } = look;
  const { h } = box;
  const classes = ['box', `k-${box.kind}`, status && `s-${status}`, selected && 'selected'].filter(Boolean).join(' ');
  const id = /^(.*) (\(\d+\))$/s.exec(box.title);
  const title = id ? `${escapeXml(id[1] as string)} <tspan class="id">${id[2]}</tspan>` : escapeXml(box.title);
  const extra = box.extra === '' ? '' : `<tspan class="extra">${escapeXml(box.extra)}</tspan>`;
  const letter = status && MARKS[status];
  const mark = letter
    ? `<g class="sign"><circle cx="${w}" cy="0" r="8"/><text x="${w}" y="3.5">${letter}</text></g>`
    : '';
  const tint = fill ? ` style="fill:${fill}"` : '';
  const round = box.kind === 'terminal' ? h / 2 : 7;
  const stripe =
    box.kind === 'terminal' ? '' : `<path class="stripe" d="M7 0H5v${h}h2a7 7 0 0 1-7-7V7a7 7 0 0 1 7-7z"/>`;
  return `<g class="${classes}" data-key="${box.key}" transform="translate(${x} ${y})"><rect class="card"${tint} width="${w}" height="${h}" rx="${round}"/>${stripe}<text class="title" x="14" y="16">${title}${extra}</text><text class="note" x="14" y="30">${escapeXml(box.note)}</text>${mark}</g>`;
}

/** A curve along the points (x and y one after another), with an arrow at its end. */
export function drawLink(points: readonly number[], kind: string): string {
  return `<path class="link ${kind}" d="${curve(points)}"/>`;
}

/** A smooth path: quadratic arcs through the middles of the segments. */
export function curve(p: readonly number[]): string {
  const n = p.length / 2;
  const at = (i: number): string => `${p[2 * i]} ${p[2 * i + 1]}`;
  if (n < 3) return `M${at(0)}L${at(n - 1)}`;
  const middle = (i: number): string =>
    `${((p[2 * i] as number) + (p[2 * i + 2] as number)) / 2} ${((p[2 * i + 1] as number) + (p[2 * i + 3] as number)) / 2}`;
  let path = `M${at(0)}L${middle(0)}`;
  for (let i = 1; i < n - 1; i++) path += `Q${at(i)} ${i === n - 2 ? at(n - 1) : middle(i)}`;
  return path;
}

/** The arrow heads that links refer to. */
export const MARKERS = ['c', 'r']
  .map(
    (kind) =>
      `<marker id="arrow-${kind}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="6.5" markerHeight="6.5" orient="auto-start-reverse"><path class="arrow ${kind}" d="M0 0.6L7.4 4L0 7.4z"/></marker>`,
  )
  .join('');
