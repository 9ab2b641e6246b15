import { toDot } from '../ir/dot.js';
import type { Stage } from '../stages.js';
import { explorerPage } from './explorer.js';
import { prepareLayouts } from './layout.js';
import { drawSvg } from './svg.js';

/** Forms in which the stages of a compilation are written: a file per pass, or one page with all. */
export const DUMP_FORMATS = ['dot', 'svg', 'html'] as const;
/** A form of dumps. */
export type DumpFormat = (typeof DUMP_FORMATS)[number];

/** The name of the page with all stages. */
export const EXPLORER_FILE = 'explorer.html';

const fileName = ({ index, name }: Stage, extension: string): string =>
  `${String(index).padStart(2, '0')}_${name.replaceAll('-', '_')}.${extension}`;

/** The files of a dump: `NN_pass.dot` and `NN_pass.svg` after each pass, and the explorer of all stages; `model` in titles. */
export async function dumpFiles(
  stages: readonly Stage[],
  formats: ReadonlySet<DumpFormat>,
  model = stages[0]?.snapshot.name ?? '',
): Promise<{ readonly name: string; readonly data: string }[]> {
  const passes = stages.filter(({ index }) => index > 0);
  const files: { name: string; data: string }[] = [];
  if (formats.has('dot'))
    for (const stage of passes) files.push({ name: fileName(stage, 'dot'), data: toDot(stage.snapshot) });
  if (!formats.has('svg') && !formats.has('html')) return files;
  const layouts = await prepareLayouts();
  if (formats.has('svg'))
    for (const stage of passes) {
      const title = `${model}: ${stage.index} ${stage.name}`;
      files.push({ name: fileName(stage, 'svg'), data: drawSvg(stage.snapshot, title, layouts) });
    }
  if (formats.has('html')) files.push({ name: EXPLORER_FILE, data: explorerPage(stages, layouts, { title: model }) });
  return files;
}
