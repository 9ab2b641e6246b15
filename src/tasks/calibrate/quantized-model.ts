import { lower } from '../../compile.js';
import { exportOnnx } from '../../frontends/onnx/export/export.js';
import type { CompileOptions } from '../../options.js';
import { resolveOptions } from '../../options.js';
import type { Calibration } from '../../quant/calibration.js';
import { VERSION } from '../../version.js';
import type { Model } from './calibrate.js';

/**
 * The fake-quantized form of a calibrated float model as an ONNX file: compiling it gives the same code and data as
 * compiling the float model with the calibration.
 */
export function quantizedModel(model: Model, calibration: Calibration, options: CompileOptions = {}): Uint8Array {
  const resolved = resolveOptions({ ...options, calibration });
  const { graph } = lower(model, resolved, 'fused');
  return exportOnnx(graph, { producerVersion: VERSION, file: resolved.file });
}
