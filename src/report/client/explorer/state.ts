import type { ExplorerData } from '../../explorer-data.js';

/** What the reader looks at; everything on the page follows from it. */
export interface State {
  stage: number;
  /** Key of the selected box. */
  selected: string | null;
  /** Position of the overlay that colours the boxes, or -1. */
  overlay: number;
  readonly collapsed: Set<number>;
}

/** The state from the address of the page, `#pass=12&node=34`. */
export function stateFromAddress(data: ExplorerData, hash: string): State {
  const asked = new URLSearchParams(hash.replace(/^#/, ''));
  const last = data.stages.length - 1;
  const pass = asked.get('pass');
  const at = pass === null ? last : data.stages.findIndex((s) => String(s.index) === pass || s.name === pass);
  const node = asked.get('node');
  return {
    stage: at < 0 ? last : at,
    selected: node === null ? null : /^\d+$/.test(node) ? `n${node}` : node,
    overlay: data.overlays.length > 0 ? 0 : -1,
    collapsed: new Set(),
  };
}

/** The address that leads back to a state. */
export function addressOf(data: ExplorerData, { stage, selected }: State): string {
  const node = selected === null ? '' : `&node=${selected.replace(/^n/, '')}`;
  return `#pass=${data.stages[stage]?.index ?? 0}${node}`;
}

/** A colour between blue (small) and red (great) by way of a pale middle; `t` from 0 to 1. */
export function heat(t: number): string {
  const at = Math.min(1, Math.max(0, t));
  return `color-mix(in srgb, color-mix(in oklab, var(--heat-low), var(--heat-high) ${Math.round(at * 100)}%) 52%, var(--surface))`;
}
