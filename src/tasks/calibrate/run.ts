import type { SampleSource } from '../../data/sample.js';
import { type Calibrated, type CalibrateOptions, calibrateFrom, type Model, observe } from './calibrate.js';
import { recover } from './recover.js';
import { DEFAULT_RECOVERIES } from './recoveries.js';

/** Learns weights and biases for a calibration from the samples, in their order, as the options ask. */
export async function withRecovery(
  model: Model,
  calibrated: Calibrated,
  source: SampleSource,
  options: CalibrateOptions = {},
): Promise<Calibrated> {
  const ways = options.recover ?? DEFAULT_RECOVERIES;
  if (ways.every((way) => way === 'equalize')) return calibrated;
  const { calibration, ...recovered } = await recover(model, calibrated.calibration, source, ways, options);
  return { ...calibrated, calibration, recovered };
}

/**
 * Calibrates a float model with samples: counts what its values are (`observe`), chooses grids (`calibrateFrom`), and wins
 * back accuracy (`withRecovery`). Samples are read twice, one at a time. Throws QcErrors: usage for options, model for a
 * model that cannot be int8, for samples that do not fit and for values that are not finite.
 */
export async function calibrate(
  model: Model,
  source: SampleSource,
  options: CalibrateOptions = {},
): Promise<Calibrated> {
  const statistics = await observe(model, source, options);
  return withRecovery(model, await calibrateFrom(model, statistics, options), source, options);
}
