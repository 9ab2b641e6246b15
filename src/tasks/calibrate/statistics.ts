import { Histogram, type HistogramJson } from '../../quant/histogram.js';
import type { Range } from '../../quant/thresholds.js';
import { modelError, usageError } from '../../support/errors.js';

/** What was seen of one value. */
export interface Observed {
  readonly histogram: Histogram;
  /** The exponential mean of the ranges of batches, where `moving-average` asked for it. */
  readonly average?: Range;
}

/**
 * What calibration saw of a network: counts, which add up exactly in any order. Shards of a data set give the statistics of
 * the whole once merged.
 */
export interface Statistics {
  /** SHA-256 of model and of what decides on the float network: only equal ones may be merged. */
  readonly model: string;
  readonly samples: number;
  /** Checksums of the samples that were seen. */
  readonly seen: ReadonlySet<string>;
  readonly values: ReadonlyMap<string, Observed>;
}

const FORMAT = 'qc-statistics';
const VERSION = 1;

/** The text of a statistics file. */
export function statisticsText({ model, samples, seen, values }: Statistics): string {
  const entries = [...values].map(([name, { histogram }]) => [name, histogram.toJson()] as const);
  const content = { format: FORMAT, version: VERSION, model, samples, seen: [...seen].sort(), values: entries };
  return `${JSON.stringify(content)}\n`;
}

interface StatisticsJson {
  readonly format: string;
  readonly version: number;
  readonly model: string;
  readonly samples: number;
  readonly seen: readonly string[];
  readonly values: readonly (readonly [string, HistogramJson])[];
}

/** Reads a statistics file. Throws a model error that names it. */
export function readStatistics(file: string, text: string): Statistics {
  const damaged = (why: string): Error =>
    modelError(`not a statistics file: ${why}`, { file, remedy: 'qc calibrate --shard writes such files.' });
  let json: StatisticsJson;
  try {
    json = JSON.parse(text) as StatisticsJson;
  } catch {
    throw damaged('it is no JSON');
  }
  if (json?.format !== FORMAT) throw damaged(`its format is not ${FORMAT}`);
  if (json.version !== VERSION) throw damaged(`version ${json.version} is not known`);
  try {
    const { model, samples, seen, values } = json;
    if (!Number.isSafeInteger(samples) || samples < 1) throw new Error('no number of samples');
    const read = values.map(([name, h]): [string, Observed] => [name, { histogram: Histogram.fromJson(h) }]);
    return { model, samples, seen: new Set(seen), values: new Map(read) };
  } catch (error) {
    throw damaged(error instanceof Error ? error.message : String(error));
  }
}

/** Adds up statistics of shards. Throws a usage error where they are of different networks, or one stands there twice. */
export function mergeStatistics(
  parts: readonly { readonly file: string; readonly statistics: Statistics }[],
): Statistics {
  const [first] = parts;
  if (!first) throw usageError('no statistics to merge');
  const values = new Map<string, Observed>();
  const seen = new Set<string>();
  let samples = 0;
  const texts = new Map<string, string>();
  for (const { file, statistics } of parts) {
    if (statistics.model !== first.statistics.model)
      throw usageError(`${file} and ${first.file} are statistics of different models or options`);
    const text = statisticsText(statistics);
    const twin = texts.get(text);
    if (twin !== undefined) throw usageError(`${file} holds what ${twin} does: a shard counts once`);
    texts.set(text, file);
    samples += statistics.samples;
    for (const id of statistics.seen) seen.add(id);
    for (const [name, { histogram }] of statistics.values) {
      const sum = values.get(name)?.histogram ?? new Histogram();
      sum.merge(histogram);
      values.set(name, { histogram: sum });
    }
  }
  return { model: first.statistics.model, samples, seen, values };
}
