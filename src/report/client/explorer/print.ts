import type { ExplorerData } from '../../explorer-data.js';
import { drawPicture } from './canvas.js';
import { element } from './element.js';
import type { Picture } from './scene-view.js';
import type { State } from './state.js';
import { svgNodes } from './svg-nodes.js';

/** Width and height of a sheet's column of picture, in pixels of the picture, for a portrait page. */
const [WIDTH, RATIO] = [720, 1.32];

/** Where a tall picture is cut: between rows where possible, so that no box is torn. */
export function bands({ boxes, w, h }: Picture): { readonly top: number; readonly bottom: number }[] {
  const tall = Math.max(WIDTH, w) * RATIO;
  const rows = [...boxes.values()].map((p) => ({ top: p.y, bottom: p.y + p.h })).sort((a, b) => a.top - b.top);
  const found: { top: number; bottom: number }[] = [];
  let top = 0;
  while (top < h) {
    let bottom = Math.min(h, top + tall);
    if (bottom < h) {
      const torn = rows.filter((r) => r.top < bottom && r.bottom > bottom);
      const cut = torn.reduce((at, r) => Math.min(at, r.top - 8), bottom);
      if (cut > top + tall / 3) bottom = cut;
    }
    found.push({ top, bottom });
    top = bottom;
  }
  return found;
}

/** Puts the picture on the paper, cut into pages. */
export function fillPaper(paper: HTMLElement, data: ExplorerData, picture: Picture, state: State): void {
  const { stage } = picture;
  const text = drawPicture(data, picture, { ...state, selected: null });
  const width = Math.max(WIDTH, picture.w);
  const left = (picture.w - width) / 2;
  const sheets = bands(picture).map(({ top, bottom }) => {
    const view = `${left} ${top} ${width} ${bottom - top}`;
    return element('div', { class: 'sheet' }, svgNodes(`<svg class="graph" viewBox="${view}">${text}</svg>`));
  });
  paper.replaceChildren(
    element('h1', {}, `${data.name}: ${stage.index} ${stage.name}`),
    element('p', {}, `${stage.doc}. ${picture.boxes.size} boxes.`),
    ...sheets,
  );
}
