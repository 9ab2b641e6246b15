export { type CompileResult, compile } from './compile.js';
export type { ImageInputOptions } from './image-input.js';
export type { CompileOptions } from './options.js';
export type { PassEvent } from './passes/pipeline.js';
export type { ModuleInfo } from './runtime/abi.js';
export { type ErrorKind, EXIT_CODES, QcError } from './support/errors.js';
export type { ModelFiles } from './support/model-files.js';
export type { Metric, MetricSample, MetricTensor } from './tasks/evaluate/metric.js';
export { VERSION } from './version.js';
