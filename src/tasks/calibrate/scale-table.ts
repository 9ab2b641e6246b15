import { CODE_RANGE, perTensor, type Quant } from '../../ir/type.js';
import type { ScaleTarget } from '../../passes/scale-targets.js';
import type { Calibration } from '../../quant/calibration.js';
import { modelError } from '../../support/errors.js';

/** The grid of a value as a scale table has it. */
export interface ScaleEntry {
  readonly dtype: 'i8' | 'u8';
  readonly scale: number;
  readonly zeroPoint: number;
}

/** What calibration chose, as a file that people may edit. */
export interface ScaleTable {
  /** Grids by the names of values. */
  readonly values: Readonly<Record<string, ScaleEntry>>;
  /** Whether they are of the network with equalized layers. */
  readonly equalized: boolean;
}

const FORMAT = 'qc-scales';
const VERSION = 1;

/** The grid that an entry stands for. */
export const gridOfEntry = ({ dtype, scale, zeroPoint }: ScaleEntry): Quant => perTensor(dtype, scale, zeroPoint);

/** The entry of a per-tensor grid. */
const entryOfGrid = ({ dtype, scales, zeroPoints }: Quant): ScaleEntry => ({
  dtype: dtype as 'i8' | 'u8',
  scale: scales[0] as number,
  zeroPoint: zeroPoints[0] as number,
});

/** The table of a calibration. */
export const tableOf = ({ values, equalized }: Calibration): ScaleTable => ({
  values: Object.fromEntries([...values].map(([name, grid]) => [name, entryOfGrid(grid)])),
  equalized,
});

/** The text of a table, one value a line. */
export function scaleTableText({ values, equalized }: ScaleTable): string {
  const lines = Object.entries(values).map(([name, entry]) => `    ${JSON.stringify(name)}: ${JSON.stringify(entry)}`);
  const state = equalized ? '  "equalized": true,\n' : '';
  return `{\n  "format": "${FORMAT}",\n  "version": ${VERSION},\n${state}  "values": {\n${lines.join(',\n')}\n  }\n}\n`;
}

/** Reads a table. Throws a model error that names the file and the entry. */
export function readScaleTable(file: string, text: string): ScaleTable {
  let json: Readonly<Partial<Record<'format' | 'version' | 'equalized' | 'values', unknown>>>;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw modelError(`no JSON: ${(cause as Error).message}`, { file, cause });
  }
  if (json?.format !== FORMAT || typeof json.values !== 'object' || json.values === null)
    throw modelError('not a scale table', { file, remedy: 'qc calibrate --data ... --scales FILE writes one.' });
  if (json.version !== VERSION) throw modelError(`scale tables of version ${json.version} are not known`, { file });
  const { equalized = false } = json;
  if (typeof equalized !== 'boolean') throw modelError('"equalized" is true or false', { file });
  for (const [name, entry] of Object.entries(json.values)) {
    const problem = entryProblem(entry as Partial<ScaleEntry>);
    if (problem) throw modelError(`the entry ${JSON.stringify(name)} ${problem}`, { file });
  }
  return { values: json.values as ScaleTable['values'], equalized };
}

function entryProblem(entry: Partial<ScaleEntry> | null): string | null {
  if (typeof entry !== 'object' || entry === null) return 'is no object';
  const { dtype, scale, zeroPoint } = entry;
  if (dtype !== 'i8' && dtype !== 'u8') return 'needs a dtype, i8 or u8';
  if (typeof scale !== 'number' || !(Math.fround(scale) > 0) || !Number.isFinite(Math.fround(scale)))
    return 'needs a scale, a positive number';
  const [min, max] = CODE_RANGE[dtype];
  if (!Number.isInteger(zeroPoint) || (zeroPoint as number) < min || (zeroPoint as number) > max)
    return `needs a zeroPoint, an integer from ${min} to ${max}`;
  return null;
}

/** Throws a model error for entries of values that take no scale in the network: they would do nothing. */
export function checkScaleTable(file: string, table: ScaleTable, targets: readonly ScaleTarget[]): void {
  const known = new Set(targets.map((t) => t.name));
  const unknown = Object.keys(table.values).filter((name) => !known.has(name));
  if (unknown.length > 0)
    throw modelError(
      `the model has no value that takes a scale named ${unknown.map((n) => JSON.stringify(n)).join(', ')}`,
      {
        file,
        remedy: 'The table is of another model, or was made with other --ops-to-quantize or --op-ids-to-skip.',
      },
    );
}
