import { basename, dirname } from 'node:path';
import type { Evaluated } from '../host/evaluate.js';
import { writeFiles } from '../host/files.js';
import { machine } from '../host/machine.js';
import { thumbnails } from '../host/thumbnails.js';
import { probeModule } from '../probe-module.js';
import { evaluationPage } from '../report/evaluation.js';
import { comparedPair, type ReportColumn } from '../report/evaluation-rows.js';
import { createLoader } from '../runtime/loader.js';
import { profile } from '../runtime/parts/profile.js';
import { selfTestInput } from '../runtime/self-test.js';
import { chosenText } from '../tasks/entries.js';
import { analyzeLayers } from '../tasks/layers.js';
import { Prober } from '../tasks/probe.js';
import type { Timeline } from '../tasks/trace.js';
import type { EvalColumn } from './eval-columns.js';
import { colors, human, progress } from './terminal.js';

/** What the page of an evaluation is made of. */
export interface EvalReport {
  readonly subject: string;
  readonly evaluated: Evaluated;
  readonly columns: readonly ReportColumn[];
  readonly modules: readonly EvalColumn[];
  readonly names: readonly string[];
}

/** The time of every layer of a column; undefined where it cannot be compiled for that. */
async function timeLayers({ source, profiled }: EvalColumn, entry: number): Promise<Timeline | undefined> {
  if (!profiled) return undefined;
  progress(`${source.name}: timing the layers`);
  const { wasm, info } = await profiled(entry);
  const net = createLoader(source.file, () => '', [profile]).loadSync(wasm as Uint8Array<ArrayBuffer>);
  for (const input of info.entries[0]?.inputs ?? []) {
    const { buffer, byteOffset, byteLength } = net.input(input.name);
    new Uint8Array(buffer, byteOffset, byteLength).set(selfTestInput(input, 1));
  }
  const times = net.profile?.();
  const prober = new Prober(new WebAssembly.Module((await probeModule()) as Uint8Array<ArrayBuffer>));
  return times && { name: source.name, report: analyzeLayers(times, info.ops, prober.peaks()) };
}

/** Writes the page of an evaluation. */
export async function writeReport(
  path: string,
  { subject, evaluated, columns, modules, names }: EvalReport,
): Promise<void> {
  const { evaluation, source, entry } = evaluated;
  const measured = modules[comparedPair(columns)?.[1] ?? modules.length - 1];
  const layers = measured && (await timeLayers(measured, evaluated.entry?.index ?? 0));
  const changed = evaluation.changed.map((change) => change.index);
  const page = evaluationPage({
    subject,
    data: [source.description, ...(entry ? [`entry ${chosenText(entry)}`] : [])].join('; '),
    machine: machine(),
    columns: columns.map((column, i) => ({ ...column, ...(modules[i]?.info ? { info: modules[i].info } : {}) })),
    evaluation,
    ...(layers ? { layers } : {}),
    classNames: names,
    pictures: await thumbnails(source, changed),
  });
  writeFiles(dirname(path), [{ name: basename(path), data: page }]);
  human(`  ${colors.dim('report')} ${path}`);
}
