import { basename, dirname } from 'node:path';
import { writeFiles } from '../host/files.js';
import type { OpenedModel } from '../host/open-model.js';
import type { Calibration } from '../quant/calibration.js';
import { usageError } from '../support/errors.js';
import { calibrationOfTable, targetsOf } from '../tasks/calibrate/calibrate.js';
import { calibrate } from '../tasks/calibrate/run.js';
import { checkScaleTable, scaleTableText, tableOf } from '../tasks/calibrate/scale-table.js';
import {
  CALIBRATION_FLAGS,
  calibrateOptions,
  calibrationProgress,
  readTable,
  samplesFor,
} from './calibration-flags.js';
import { reportText } from './calibration-report.js';
import type { Flags } from './command.js';
import { DATA_FLAGS } from './data-flags.js';
import { colors, formatTime, human } from './terminal.js';

/** The calibration that `qc compile --calibrate-with` or `--scales` asks for; null without them. */
export async function calibrationFor(model: OpenedModel, flags: Flags): Promise<Calibration | null> {
  const [data, scales] = [flags.required('calibrate-with'), flags.required('scales')];
  const options = calibrateOptions(model, flags);
  if (data !== undefined) return withSamples(model, flags, data);
  const stray = Object.keys({ ...CALIBRATION_FLAGS, ...DATA_FLAGS }).find((name) => {
    return name !== 'scales' && name !== 'weights' && flags.list(name).length > 0;
  });
  if (stray) throw usageError(`--${stray} goes with --calibrate-with`);
  if (scales === undefined) return null;
  const table = readTable(scales);
  checkScaleTable(scales, table, targetsOf(model.files, options));
  return calibrationOfTable(table, options);
}

async function withSamples(model: OpenedModel, flags: Flags, data: string): Promise<Calibration> {
  const start = performance.now();
  const options = calibrateOptions(model, flags);
  const { source, skipped } = await samplesFor(model, data, flags, options);
  const { onSample, stop } = calibrationProgress();
  const calibrated = await calibrate(model.files, source, { ...options, onSample }).finally(stop);
  const scales = flags.required('scales');
  if (scales !== undefined)
    writeFiles(dirname(scales), [{ name: basename(scales), data: scaleTableText(tableOf(calibrated.calibration)) }]);
  human(`${colors.green('calibrated')} ${model.file}`);
  human(reportText(calibrated, { time: formatTime(performance.now() - start), skipped: skipped(), scales }));
  return calibrated.calibration;
}
