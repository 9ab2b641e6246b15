import type { BoxData, ExplorerData, StageData } from '../../explorer-data.js';

/** A box where it stands in the picture. */
export interface Placed {
  readonly box: BoxData;
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

/** A link of the picture. */
export interface PlacedLink {
  readonly from: string;
  readonly to: string;
  readonly kind: string;
  readonly points: readonly number[];
}

/** What is shown of a stage: boxes by key, links, and the size of the picture. */
export interface Picture {
  readonly stage: StageData;
  readonly boxes: ReadonlyMap<string, Placed>;
  readonly links: readonly PlacedLink[];
  readonly w: number;
  readonly h: number;
}

/** The picture of a stage with the regions in `collapsed` drawn as one box each. */
export function pictureOf(data: ExplorerData, at: number, collapsed: ReadonlySet<number>): Picture {
  const stage = data.stages[at] as StageData;
  const layout = data.layouts[stage.layout] as ExplorerData['layouts'][number];
  const boxes = new Map<string, Placed>();
  const keys: string[] = [];
  stage.boxes.forEach((index, i) => {
    const box = data.boxes[index] as BoxData;
    const [x, y, w, h] = layout.boxes.slice(4 * i, 4 * i + 4) as [number, number, number, number];
    boxes.set(box.key, { box, x, y, w, h });
    keys.push(box.key);
  });
  const links = layout.links.map(([from, to, points], i) => ({
    from: keys[from] as string,
    to: keys[to] as string,
    kind: stage.links[i] as string,
    points,
  }));
  const picture = { stage, boxes, links, w: layout.w, h: layout.h };
  return collapsed.size === 0 ? picture : collapse(picture, collapsed);
}

/** The numbers of the regions of a picture, with their boxes. */
export function regionsOf({ boxes }: Picture): Map<number, Placed[]> {
  const regions = new Map<number, Placed[]>();
  for (const placed of boxes.values()) {
    const { region } = placed.box;
    if (region !== undefined) regions.set(region, [...(regions.get(region) ?? []), placed]);
  }
  return new Map([...regions].sort(([a], [b]) => a - b));
}

const GROUP = { w: 200, h: 46 };

/** Puts one box in the place of each collapsed region and closes the rows that become empty. */
function collapse(picture: Picture, collapsed: ReadonlySet<number>): Picture {
  const regions = [...regionsOf(picture)].filter(([region]) => collapsed.has(region));
  if (regions.length === 0) return picture;
  const host = new Map<string, string>();
  const left = new Map(picture.boxes);
  for (const [region, members] of regions) {
    const key = `g${region}`;
    for (const { box } of members) {
      host.set(box.key, key);
      left.delete(box.key);
    }
    const top = members.reduce((a, b) => (b.y < a.y ? b : a));
    const box = groupBox(key, region, members);
    left.set(key, { box, x: top.x + top.w / 2 - GROUP.w / 2, y: top.y, ...GROUP });
  }
  const shift = rowShift([...left.values()]);
  const boxes = new Map([...left].map(([key, p]) => [key, { ...p, y: p.y - shift(p.y) }]));
  const seen = new Set<string>();
  const links = picture.links.flatMap((link): PlacedLink[] => {
    const [from, to] = [host.get(link.from) ?? link.from, host.get(link.to) ?? link.to];
    const name = `${from} ${to}`;
    if (from === to || seen.has(name)) return [];
    if (host.has(link.from) || host.has(link.to)) {
      seen.add(name);
      return [{ ...link, from, to, points: straight(boxes.get(from) as Placed, boxes.get(to) as Placed) }];
    }
    return [{ ...link, points: link.points.map((v, i) => (i % 2 === 1 ? v - shift(v) : v)) }];
  });
  const h = Math.max(...[...boxes.values()].map((p) => p.y + p.h)) + 24;
  return { ...picture, boxes, links, h };
}

function groupBox(key: string, region: number, members: readonly Placed[]): BoxData {
  const types = new Map<string, number>();
  for (const { box } of members) {
    const op = box.title.replace(/ \(\d+\)$/, '');
    types.set(op, (types.get(op) ?? 0) + 1);
  }
  const list = [...types].sort(([, a], [, b]) => b - a).map(([op, n]) => `${n} ${op}`);
  return {
    key,
    id: null,
    kind: 'int8',
    title: `int8 region ${region}`,
    extra: '',
    note: `${members.length} ops: click to open`,
    ...GROUP,
    full: `int8 region ${region}: ${members.length} ops`,
    names: [],
    from: list.join(', '),
    attrs: [],
    ins: [],
    outs: [],
    history: [],
  };
}

/** How far rows move up when the space without any box is closed to a gap. */
function rowShift(boxes: readonly Placed[]): (y: number) => number {
  const GAP = 40;
  const sorted = [...boxes].sort((a, b) => a.y - b.y);
  const steps: { readonly from: number; readonly by: number }[] = [];
  let [bottom, total] = [sorted[0]?.y ?? 0, 0];
  for (const { y, h } of sorted) {
    if (y - bottom > GAP) {
      total += y - bottom - GAP;
      steps.push({ from: y, by: total });
    }
    bottom = Math.max(bottom, y + h);
  }
  return (y) => steps.findLast((step) => step.from <= y)?.by ?? 0;
}

function straight(a: Placed, b: Placed): number[] {
  const [x0, y0, x1, y1] = [a.x + a.w / 2, a.y + a.h, b.x + b.w / 2, b.y];
  const middle = (y0 + y1) / 2;
  return Math.abs(x0 - x1) < 2 ? [x0, y0, x1, y1] : [x0, y0, x0, middle, x1, middle, x1, y1];
}
