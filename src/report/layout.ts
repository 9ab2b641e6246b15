import type { EdgeLabel, GraphLabel, NodeLabel, Point } from '@dagrejs/dagre';
import { clusterOf, type Satellite, satellitesOf } from './satellites.js';
import type { Scene } from './scene.js';

/** Where the boxes of a scene stand; whole pixels. */
export interface LayoutData {
  readonly w: number;
  readonly h: number;
  /** Left, top, width and height of each box, one after another. */
  readonly boxes: readonly number[];
  /** For every link: the boxes that it joins, and the points on its way, x and y one after another. */
  readonly links: readonly (readonly [from: number, to: number, points: readonly number[]])[];
}

/** Layouts of scenes; scenes of one shape share one. */
export interface Layouts {
  of(scene: Scene): LayoutData;
}

const MARGIN = 24;

type Dagre = typeof import('@dagrejs/dagre');

/** Prepares the layouts: layered from top to bottom, by dagre, which is loaded on first use. */
export async function prepareLayouts(): Promise<Layouts> {
  const dagre = await import('@dagrejs/dagre');
  const known = new Map<string, LayoutData>();
  return {
    of(scene) {
      const key = JSON.stringify([scene.boxes.map((b) => b.w), scene.links.map((l) => [l.from, l.to])]);
      const layout = known.get(key) ?? layOut(dagre, scene);
      known.set(key, layout);
      return layout;
    },
  };
}

/** The middle of every box and the ways of the links, before the picture is moved to the corner. */
interface Drawing {
  readonly middles: readonly Point[];
  readonly ways: readonly (readonly Point[])[];
}

/** dagre places the boxes that are no satellites, each with the space of its satellites. */
function layOut(dagre: Dagre, scene: Scene): LayoutData {
  const satellites = satellitesOf(scene);
  const byHost = new Map<number, Satellite[]>();
  for (const satellite of satellites) byHost.set(satellite.host, [...(byHost.get(satellite.host) ?? []), satellite]);
  const hanging = new Set(satellites.map((s) => s.box));
  const clusters = new Map(
    scene.boxes.flatMap((_, i) => (hanging.has(i) ? [] : [[i, clusterOf(scene, i, byHost)] as const])),
  );
  const graph = new dagre.Graph<GraphLabel, NodeLabel, EdgeLabel>({ multigraph: true });
  graph.setGraph({ rankdir: 'TB', nodesep: 22, ranksep: 26 });
  for (const [i, { w, h }] of clusters) graph.setNode(String(i), { width: w, height: h });
  scene.links.forEach(({ from, to }, i) => {
    if (clusters.has(from) && clusters.has(to)) graph.setEdge(String(from), String(to), {}, String(i));
  });
  dagre.layout(graph);
  const middles: Point[] = [];
  for (const [i, { places }] of clusters) {
    const { x = 0, y = 0 }: NodeLabel = graph.node(String(i));
    for (const place of places) middles[place.box] = { x: x + place.x, y: y + place.y };
  }
  const ways = scene.links.map(({ from, to }, i): Point[] => {
    if (!clusters.has(from) || !clusters.has(to)) return sideways(scene, middles, from, to);
    const { points = [] }: EdgeLabel = graph.edge(String(from), String(to), String(i));
    return downwards(scene, middles, from, to, points.slice(1, -1));
  });
  return finish(scene, { middles, ways });
}

/** From the side of one box to the side of its neighbour. */
function sideways(scene: Scene, middles: readonly Point[], from: number, to: number): Point[] {
  const [a, b] = [middles[from] as Point, middles[to] as Point];
  const side = a.x < b.x ? 1 : -1;
  const start = { x: a.x + (side * (scene.boxes[from]?.w ?? 0)) / 2, y: a.y };
  const end = { x: b.x - (side * (scene.boxes[to]?.w ?? 0)) / 2, y: b.y };
  if (Math.abs(start.y - end.y) < 1) return [start, end];
  const x = (start.x + end.x) / 2;
  return [start, { x, y: start.y }, { x, y: end.y }, end];
}

/** From the lower edge of one box to the upper edge of another, by way of the points between. */
function downwards(
  scene: Scene,
  middles: readonly Point[],
  from: number,
  to: number,
  between: readonly Point[],
): Point[] {
  const [a, b] = [middles[from] as Point, middles[to] as Point];
  const start = { x: a.x, y: a.y + (scene.boxes[from]?.h ?? 0) / 2 };
  const end = { x: b.x, y: b.y - (scene.boxes[to]?.h ?? 0) / 2 };
  const inside = between.filter((p) => p.y > start.y + 6 && p.y < end.y - 6);
  if (inside.length === 0 && Math.abs(start.x - end.x) < 1) return [start, end];
  return [start, { x: start.x, y: start.y + 10 }, ...inside, { x: end.x, y: end.y - 12 }, end];
}

/** Moves the picture to the corner and rounds to pixels. */
function finish(scene: Scene, { middles, ways }: Drawing): LayoutData {
  const all = scene.boxes.map(({ w, h }, i) => {
    const { x, y } = middles[i] as Point;
    return { x: x - w / 2, y: y - h / 2, w, h };
  });
  const xs = [...all.flatMap((b) => [b.x, b.x + b.w]), ...ways.flat().map((p) => p.x)];
  const ys = [...all.flatMap((b) => [b.y, b.y + b.h]), ...ways.flat().map((p) => p.y)];
  const least = (list: readonly number[]): number => list.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  const most = (list: readonly number[]): number => list.reduce((a, b) => Math.max(a, b), 0);
  const [left, top] = xs.length > 0 ? [least(xs) - MARGIN, least(ys) - MARGIN] : [0, 0];
  return {
    w: Math.ceil(most(xs) - left + MARGIN),
    h: Math.ceil(most(ys) - top + MARGIN),
    boxes: all.flatMap(({ x, y, w, h }) => [Math.round(x - left), Math.round(y - top), w, h]),
    links: scene.links.map(({ from, to }, i) => [
      from,
      to,
      (ways[i] ?? []).flatMap(({ x, y }) => [Math.round(x - left), Math.round(y - top)]),
    ]),
  };
}
