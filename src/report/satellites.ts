import type { Scene } from './scene.js';

/** A box that hangs on one other box only, such as the dequantize of a weight, and stands beside it. */
export interface Satellite {
  readonly box: number;
  readonly host: number;
  /** The link between the two. */
  readonly link: number;
}

/** A box with its satellites: their places relative to the middle of the box, and the space that they need. */
export interface Cluster {
  readonly w: number;
  readonly h: number;
  /** Middle of each box. */
  readonly places: readonly { readonly box: number; readonly x: number; readonly y: number }[];
}

const [GAP, ROW_GAP] = [26, 10];

/**
 * The satellites of a scene: boxes with one link in all, and those that are left with one when their satellites are taken
 * away, so that whole chains stand beside their host. Inputs and outputs of the graph are none.
 */
export function satellitesOf({ boxes, links }: Scene): Satellite[] {
  const alive = boxes.map(() => new Set<number>());
  const ends = (link: number): readonly [number, number] => [links[link]?.from as number, links[link]?.to as number];
  links.forEach(({ from, to }, i) => {
    alive[from]?.add(i);
    alive[to]?.add(i);
  });
  const found: Satellite[] = [];
  const queue = boxes.flatMap((_, i) => (alive[i]?.size === 1 ? [i] : []));
  const taken = new Set<number>();
  for (let box = queue.shift(); box !== undefined; box = queue.shift()) {
    const [link] = alive[box] as Set<number>;
    if (link === undefined || taken.has(box) || boxes[box]?.kind === 'terminal') continue;
    const [from, to] = ends(link);
    const host = from === box ? to : from;
    taken.add(box);
    found.push({ box, host, link });
    alive[box]?.clear();
    alive[host]?.delete(link);
    if (alive[host]?.size === 1) queue.push(host);
  }
  return found;
}

/** The space of a box with its satellites, which stand to the right and left of it by turns; symmetric to its middle. */
export function clusterOf(scene: Scene, box: number, satellites: ReadonlyMap<number, readonly Satellite[]>): Cluster {
  const { w, h } = scene.boxes[box] as Scene['boxes'][number];
  const places = [{ box, x: 0, y: 0 }];
  const own = satellites.get(box) ?? [];
  let [reach, height] = [w / 2, h];
  for (const side of [1, -1]) {
    const there = own.filter((_, i) => (i % 2 === 0) === (side === 1)).map((s) => clusterOf(scene, s.box, satellites));
    const total = there.reduce((sum, c) => sum + c.h, 0) + Math.max(0, there.length - 1) * ROW_GAP;
    let top = -total / 2;
    for (const cluster of there) {
      const middle = { x: side * (w / 2 + GAP + cluster.w / 2), y: top + cluster.h / 2 };
      for (const place of cluster.places) places.push({ box: place.box, x: middle.x + place.x, y: middle.y + place.y });
      top += cluster.h + ROW_GAP;
      reach = Math.max(reach, w / 2 + GAP + cluster.w);
    }
    height = Math.max(height, total);
  }
  return { w: 2 * reach, h: height, places };
}
