import type { Canvas } from './canvas.js';
import type { Picture } from './scene-view.js';

const COLORS: Readonly<Record<string, string>> = {
  int8: '--int8',
  float: '--float',
  boundary: '--boundary',
  open: '--edge',
  terminal: '--muted',
};

/** The whole picture in small, with a frame around what the window shows; a click or drag moves the window. */
export class Minimap {
  private readonly element: HTMLCanvasElement;
  private readonly canvas: Canvas;
  private picture: Picture | undefined;

  constructor(element: HTMLCanvasElement, canvas: Canvas) {
    this.element = element;
    this.canvas = canvas;
    const go = (event: PointerEvent): void => {
      if (!this.picture || event.buttons !== 1) return;
      const { left, top } = element.getBoundingClientRect();
      const { scale, x, y } = this.place(this.picture);
      const { camera, size } = canvas;
      camera.x = size.width / 2 - ((event.clientX - left - x) / scale) * camera.scale;
      camera.y = size.height / 2 - ((event.clientY - top - y) / scale) * camera.scale;
      canvas.apply();
    };
    element.addEventListener('pointerdown', (event) => {
      element.setPointerCapture(event.pointerId);
      go(event);
    });
    element.addEventListener('pointermove', go);
  }

  private place({ w, h }: Picture): { readonly scale: number; readonly x: number; readonly y: number } {
    const { clientWidth: width, clientHeight: height } = this.element;
    const scale = Math.min(width / w, height / h);
    return { scale, x: (width - w * scale) / 2, y: (height - h * scale) / 2 };
  }

  /** Draws the picture, or the last one again. */
  draw(picture: Picture | undefined = this.picture): void {
    this.picture = picture;
    const context = this.element.getContext('2d');
    if (!picture || !context) return;
    const ratio = window.devicePixelRatio || 1;
    const { clientWidth: width, clientHeight: height } = this.element;
    this.element.width = width * ratio;
    this.element.height = height * ratio;
    context.scale(ratio, ratio);
    const style = getComputedStyle(this.element);
    const { scale, x, y } = this.place(picture);
    for (const p of picture.boxes.values()) {
      const changed = picture.stage.status[p.box.key];
      context.fillStyle = style.getPropertyValue(COLORS[p.box.kind] ?? '--edge');
      context.fillRect(x + p.x * scale, y + p.y * scale, Math.max(2, p.w * scale), Math.max(1, p.h * scale - 0.4));
      if (!changed) continue;
      context.fillStyle = style.getPropertyValue(`--s-${changed}`);
      context.fillRect(x + (p.x + p.w) * scale + 1, y + p.y * scale, 3, Math.max(1.5, p.h * scale));
    }
    const { camera, size } = this.canvas;
    context.strokeStyle = style.getPropertyValue('--accent');
    context.lineWidth = 1.5;
    const frame = [-camera.x, -camera.y, size.width, size.height].map((v) => (v / camera.scale) * scale) as Frame;
    context.strokeRect(x + frame[0], y + frame[1], frame[2], frame[3]);
  }
}

type Frame = [number, number, number, number];
