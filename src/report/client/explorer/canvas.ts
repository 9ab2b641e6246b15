import type { ExplorerData, Overlay } from '../../explorer-data.js';
import { curve, drawBox, drawLink, MARKERS } from './draw.js';
import type { Picture, Placed } from './scene-view.js';
import { heat, type State } from './state.js';
import { svgNodes } from './svg-nodes.js';

/** Where the picture stands in the window: `x`, `y` are its corner on the screen. */
export interface Camera {
  x: number;
  y: number;
  scale: number;
}

const [LEAST, MOST] = [0.05, 3];

/** The colours of boxes by an overlay, or none. */
export function overlayFill(overlay: Overlay | undefined): (id: number | null) => string | undefined {
  if (!overlay) return () => undefined;
  const values = Object.values(overlay.values).map((v) => v.value);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return (id) => {
    const found = id === null ? undefined : overlay.values[id];
    return found && heat(high > low ? (found.value - low) / (high - low) : 0.5);
  };
}

/** What ties the boxes of each int8 region together: a band behind them and the links between them. */
function halos({ boxes, links }: Picture): string {
  const region = (key: string): number | undefined => boxes.get(key)?.box.region;
  const bands = [...boxes.values()].filter(({ box }) => box.region !== undefined);
  const ties = links.filter(({ from, to }) => region(from) !== undefined && region(from) === region(to));
  return [
    ...ties.map(({ points }) => `<path d="${curve(points)}"/>`),
    ...bands.map(({ x, y, w, h }) => `<rect x="${x - 9}" y="${y - 9}" width="${w + 18}" height="${h + 18}" rx="14"/>`),
  ].join('');
}

/** The boxes and links of a picture as SVG text. */
export function drawPicture(data: ExplorerData, picture: Picture, state: State): string {
  const fill = overlayFill(data.overlays[state.overlay]);
  const status = picture.stage.status;
  const parts: string[] = [`<g class="halos">${halos(picture)}</g>`];
  for (const { from, to, kind, points } of picture.links) {
    const near = state.selected !== null && (from === state.selected || to === state.selected);
    parts.push(drawLink(points, near ? `${kind} near` : kind));
  }
  for (const { box, x, y, w } of picture.boxes.values())
    parts.push(
      drawBox(box, { x, y, w, status: status[box.key], selected: box.key === state.selected, fill: fill(box.id) }),
    );
  return parts.join('');
}

/** The window on the picture: drags, wheel, pinch and keys move and scale it. */
export class Canvas {
  readonly camera: Camera = { x: 0, y: 0, scale: 1 };
  private readonly svg: SVGSVGElement;
  private readonly world: SVGGElement;
  private picture: Picture | undefined;
  private readonly onMove: () => void;

  constructor(svg: SVGSVGElement, onPick: (key: string | null) => void, onMove: () => void) {
    this.svg = svg;
    this.onMove = onMove;
    svg.replaceChildren(...svgNodes(`<defs>${MARKERS}</defs><g class="world"></g>`));
    this.world = svg.querySelector('g.world') as SVGGElement;
    this.listen(onPick);
  }

  get size(): { readonly width: number; readonly height: number } {
    return { width: this.svg.clientWidth, height: this.svg.clientHeight };
  }

  /** Shows a picture that was drawn as SVG text. */
  show(picture: Picture, text: string): void {
    this.picture = picture;
    this.world.replaceChildren(...svgNodes(text));
    this.apply();
  }

  /** Moves the camera so that the whole picture is seen, or its top at a legible size where it is tall. */
  fit(whole = false): void {
    if (!this.picture) return;
    const { width, height } = this.size;
    const { w, h } = this.picture;
    const all = Math.min(width / w, height / h);
    this.camera.scale = Math.min(1, whole ? all : Math.max(all, Math.min(1, width / w), 0.5));
    this.camera.x = (width - w * this.camera.scale) / 2;
    this.camera.y = h * this.camera.scale < height ? (height - h * this.camera.scale) / 2 : 0;
    this.apply();
  }

  /** Scales about a point of the window. */
  zoom(factor: number, x = this.size.width / 2, y = this.size.height / 2): void {
    const scale = Math.min(MOST, Math.max(LEAST, this.camera.scale * factor));
    const by = scale / this.camera.scale;
    Object.assign(this.camera, { scale, x: x - (x - this.camera.x) * by, y: y - (y - this.camera.y) * by });
    this.apply();
  }

  /** Moves the picture by pixels of the screen. */
  pan(dx: number, dy: number): void {
    this.camera.x += dx;
    this.camera.y += dy;
    this.apply();
  }

  /** Moves a box to the middle of the window unless it is well inside already. */
  reveal({ x, y, w, h }: Placed): void {
    const { width, height } = this.size;
    if (this.camera.scale < 0.45) this.camera.scale = 0.9;
    const { scale } = this.camera;
    const [sx, sy] = [(x + w / 2) * scale + this.camera.x, (y + h / 2) * scale + this.camera.y];
    const inside = sx > 90 && sx < width - 90 && sy > 60 && sy < height - 60;
    if (!inside)
      Object.assign(this.camera, { x: width / 2 - (x + w / 2) * scale, y: height / 2 - (y + h / 2) * scale });
    this.apply();
  }

  /** Keeps a part of the picture in the window and tells who listens. */
  apply(): void {
    const { width, height } = this.size;
    const { w, h } = this.picture ?? { w: 0, h: 0 };
    const { scale } = this.camera;
    this.camera.x = Math.min(width - 60, Math.max(60 - w * scale, this.camera.x));
    this.camera.y = Math.min(height - 60, Math.max(60 - h * scale, this.camera.y));
    this.world.setAttribute('transform', `translate(${this.camera.x} ${this.camera.y}) scale(${scale})`);
    this.onMove();
  }

  private listen(onPick: (key: string | null) => void): void {
    const { svg } = this;
    const pointers = new Map<number, { x: number; y: number }>();
    let moved = 0;
    svg.addEventListener('pointerdown', (event) => {
      if (event.button !== 0) return;
      if (pointers.size === 0) moved = 0;
      pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    });
    svg.addEventListener('pointermove', (event) => {
      const last = pointers.get(event.pointerId);
      if (!last) return;
      const [dx, dy] = [event.clientX - last.x, event.clientY - last.y];
      moved += Math.abs(dx) + Math.abs(dy);
      if (moved > 4 && !svg.hasPointerCapture(event.pointerId)) svg.setPointerCapture(event.pointerId);
      const other = [...pointers].find(([id]) => id !== event.pointerId)?.[1];
      if (other) {
        const gap = (a: { x: number; y: number }): number => Math.hypot(a.x - other.x, a.y - other.y);
        const { left, top } = svg.getBoundingClientRect();
        this.zoom(gap({ x: event.clientX, y: event.clientY }) / Math.max(1, gap(last)), other.x - left, other.y - top);
      } else {
        this.pan(dx, dy);
      }
      pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    });
    const release = (event: PointerEvent): void => {
      if (!pointers.delete(event.pointerId) || moved > 4 || event.type !== 'pointerup') return;
      onPick((event.target as Element).closest<SVGGElement>('.box')?.dataset.key ?? null);
    };
    svg.addEventListener('pointerup', release);
    svg.addEventListener('pointercancel', release);
    svg.addEventListener(
      'wheel',
      (event) => {
        event.preventDefault();
        const { left, top } = svg.getBoundingClientRect();
        const unit = event.deltaMode === 1 ? 18 : 1;
        if (event.ctrlKey || event.metaKey)
          this.zoom(Math.exp(-event.deltaY * unit * 0.0035), event.clientX - left, event.clientY - top);
        else if (event.shiftKey) this.pan(-event.deltaY * unit, 0);
        else this.pan(-event.deltaX * unit, -event.deltaY * unit);
      },
      { passive: false },
    );
  }
}
