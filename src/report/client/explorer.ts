// The explorer of graphs: a slider over the passes, the picture, a list and a panel of details.

import type { ExplorerData } from '../explorer-data.js';
import { Canvas, drawPicture } from './explorer/canvas.js';
import { boxDetails, stageDetails } from './explorer/details.js';
import { element } from './explorer/element.js';
import { fillList, findBoxes } from './explorer/list.js';
import { Minimap } from './explorer/minimap.js';
import { fillPaper } from './explorer/print.js';
import { type Picture, pictureOf, regionsOf } from './explorer/scene-view.js';
import { addressOf, type State, stateFromAddress } from './explorer/state.js';

/** The element of the page with an id. */
const by = <T extends Element>(id: string): T => document.getElementById(id) as unknown as T;

/** Everything that the page shows follows from `state`; changes of it go through the methods here. */
class Explorer {
  private readonly data: ExplorerData;
  private readonly state: State;
  private readonly canvas: Canvas;
  private readonly minimap: Minimap;
  private readonly kinds = new Set<string>();
  private picture: Picture;

  constructor(data: ExplorerData) {
    this.data = data;
    this.state = stateFromAddress(data, location.hash);
    this.picture = pictureOf(data, this.state.stage, this.state.collapsed);
    this.canvas = new Canvas(
      by('picture'),
      (key) => this.pick(key),
      () => this.minimap?.draw(),
    );
    this.minimap = new Minimap(by('minimap'), this.canvas);
    this.listen();
    this.fillOverlays();
    this.render();
    this.canvas.fit();
    if (this.state.selected !== null) this.select(this.state.selected);
  }

  /** Draws everything anew. */
  private render(): void {
    const { data, state } = this;
    const stage = data.stages[state.stage] as ExplorerData['stages'][number];
    this.picture = pictureOf(data, state.stage, state.collapsed);
    this.canvas.show(this.picture, drawPicture(data, this.picture, state));
    this.minimap.draw(this.picture);
    by<HTMLInputElement>('slider').value = String(state.stage);
    by<HTMLInputElement>('slider').setAttribute('aria-valuetext', `${stage.index} ${stage.name}`);
    by('pass-name').textContent = `${stage.index} ${stage.name}`;
    by('pass-doc').textContent = stage.doc;
    const changed = Object.keys(stage.status).length;
    by('pass-changes').textContent =
      stage.index === 0 ? `${this.picture.boxes.size} boxes` : `${changed} changed, ${stage.removed.length} gone`;
    this.renderPanel();
    this.renderList();
    this.renderRegions();
    history.replaceState(null, '', addressOf(data, state));
  }

  private renderPanel(): void {
    const { data, state, picture } = this;
    const placed = state.selected === null ? undefined : picture.boxes.get(state.selected);
    const before = state.stage > 0 ? pictureOf(data, state.stage - 1, new Set()) : null;
    const content = placed
      ? boxDetails(data, picture, placed.box, {
          select: (key) => this.select(key),
          toStage: (at) => this.toStage(at),
        })
      : stageDetails(picture.stage, before, {
          select: (key) => {
            this.toStage(state.stage - 1);
            this.select(key);
          },
          toStage: (at) => this.toStage(at),
        });
    by<HTMLElement>('details').replaceChildren(element('div', {}, content));
  }

  private renderList(): void {
    const text = by<HTMLInputElement>('search').value;
    const keys = findBoxes(this.picture, text, this.kinds);
    by('found').textContent = `${keys.length} of ${this.picture.boxes.size}`;
    fillList(by('list'), this.picture, keys, this.state.selected, (key) => this.select(key));
  }

  private renderRegions(): void {
    const { state, data } = this;
    const regions = regionsOf(pictureOf(data, state.stage, new Set()));
    by<HTMLElement>('regions').hidden = regions.size === 0;
    by('region-list').replaceChildren(
      ...[...regions].map(([region, members]) => {
        const box = element('input', { type: 'checkbox' });
        box.checked = !state.collapsed.has(region);
        box.addEventListener('change', () => this.setCollapsed(region, !box.checked));
        return element('label', {}, box, `region ${region}: ${members.length} ops`);
      }),
    );
  }

  private fillOverlays(): void {
    const choice = by<HTMLSelectElement>('overlay');
    choice.append(element('option', { value: '-1' }, 'how it computes'));
    for (const [i, { title }] of this.data.overlays.entries())
      choice.append(element('option', { value: String(i) }, title));
    choice.value = String(this.state.overlay);
    by<HTMLElement>('overlay-field').hidden = this.data.overlays.length === 0;
    this.showScale();
  }

  private showScale(): void {
    const overlay = this.data.overlays[this.state.overlay];
    by<HTMLElement>('scale').hidden = !overlay;
    if (!overlay) return;
    by('scale-low').textContent = overlay.low;
    by('scale-high').textContent = overlay.high;
  }

  private setCollapsed(region: number, collapsed: boolean): void {
    if (collapsed) this.state.collapsed.add(region);
    else this.state.collapsed.delete(region);
    this.render();
    if (collapsed) this.canvas.fit();
  }

  /** Goes to a pass; what was in the middle of the window stays there, where it still exists. */
  toStage(at: number): void {
    const stage = Math.min(this.data.stages.length - 1, Math.max(0, at));
    if (stage === this.state.stage) return;
    const anchor = this.anchor();
    this.state.stage = stage;
    this.render();
    const now = anchor && this.picture.boxes.get(anchor.key);
    if (!now) {
      this.canvas.fit();
      return;
    }
    const { camera } = this.canvas;
    camera.x = anchor.x - (now.x + now.w / 2) * camera.scale;
    camera.y = anchor.y - (now.y + now.h / 2) * camera.scale;
    this.canvas.apply();
  }

  /** The box that should stay where it is, and its place on the screen. */
  private anchor(): { readonly key: string; readonly x: number; readonly y: number } | null {
    const { camera, size } = this.canvas;
    let best: { key: string; x: number; y: number; far: number } | null = null;
    for (const { box, x, y, w, h } of this.picture.boxes.values()) {
      if (box.kind === 'boundary' && box.key !== this.state.selected) continue;
      const [sx, sy] = [(x + w / 2) * camera.scale + camera.x, (y + h / 2) * camera.scale + camera.y];
      const far = box.key === this.state.selected ? -1 : Math.hypot(sx - size.width / 2, sy - size.height / 2);
      const shown = sx > 0 && sx < size.width && sy > 0 && sy < size.height;
      if (shown && (!best || far < best.far)) best = { key: box.key, x: sx, y: sy, far };
    }
    return best;
  }

  private pick(key: string | null): void {
    if (key?.startsWith('g')) this.setCollapsed(Number(key.slice(1)), false);
    else if (key === null) this.unselect();
    else this.select(key);
  }

  private unselect(): void {
    this.state.selected = null;
    this.render();
  }

  /** Selects a box, opening its region, and brings it into the window. */
  select(key: string): void {
    this.state.selected = key;
    const inside = pictureOf(this.data, this.state.stage, new Set()).boxes.get(key)?.box.region;
    if (inside !== undefined) this.state.collapsed.delete(inside);
    this.render();
    const placed = this.picture.boxes.get(key);
    if (placed) this.canvas.reveal(placed);
    by('list').querySelector('.selected')?.scrollIntoView({ block: 'nearest' });
  }

  private listen(): void {
    const { state, canvas } = this;
    by<HTMLInputElement>('slider').addEventListener('input', (event) =>
      this.toStage(Number((event.target as HTMLInputElement).value)),
    );
    by('previous').addEventListener('click', () => this.toStage(state.stage - 1));
    by('next').addEventListener('click', () => this.toStage(state.stage + 1));
    by('search').addEventListener('input', () => this.renderList());
    by('search').addEventListener('keydown', (event) => {
      const first = by('list').querySelector<HTMLElement>('[data-key]')?.dataset.key;
      if ((event as KeyboardEvent).key === 'Enter' && first) this.select(first);
    });
    for (const box of document.querySelectorAll<HTMLInputElement>('#kinds input'))
      box.addEventListener('change', () => {
        if (box.checked) this.kinds.add(box.value);
        else this.kinds.delete(box.value);
        this.renderList();
      });
    by<HTMLSelectElement>('overlay').addEventListener('change', (event) => {
      state.overlay = Number((event.target as HTMLSelectElement).value);
      this.showScale();
      this.render();
    });
    by('zoom-in').addEventListener('click', () => canvas.zoom(1.25));
    by('zoom-out').addEventListener('click', () => canvas.zoom(0.8));
    by('fit').addEventListener('click', () => canvas.fit(true));
    window.addEventListener('resize', () => canvas.apply());
    window.addEventListener('beforeprint', () => fillPaper(by('paper'), this.data, this.picture, state));
    document.addEventListener('keydown', (event) => this.key(event));
  }

  private key(event: KeyboardEvent): void {
    const typing = /^(input|select|textarea)$/i.test((event.target as Element).tagName);
    if (event.key === 'Escape') this.unselect();
    if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
    const step = 60;
    const { canvas } = this;
    const actions: Readonly<Record<string, () => void>> = {
      '/': () => by<HTMLInputElement>('search').focus(),
      '+': () => canvas.zoom(1.25),
      '-': () => canvas.zoom(0.8),
      '0': () => canvas.fit(true),
      ArrowLeft: () => this.toStage(this.state.stage - 1),
      ArrowRight: () => this.toStage(this.state.stage + 1),
      ArrowDown: () => canvas.pan(0, -step),
      ArrowUp: () => canvas.pan(0, step),
    };
    const action = actions[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  }
}

/** Starts the explorer on the data of the page. */
export function explorer(): void {
  const data = JSON.parse(document.getElementById('report-data')?.textContent ?? 'null') as ExplorerData;
  new Explorer(data);
  document.documentElement.dataset.ready = 'true';
}
