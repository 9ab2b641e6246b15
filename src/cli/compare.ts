import { basename, dirname } from 'node:path';
import { compile, lower } from '../compile.js';
import type { Sample } from '../data/sample.js';
import { writeFiles } from '../host/files.js';
import { openModel } from '../host/open-model.js';
import { openSamples } from '../host/open-samples.js';
import { resolveOptions } from '../options.js';
import { decibels, errorOverlays, sparkline } from '../report/error-overlays.js';
import { explorerPage } from '../report/explorer.js';
import { prepareLayouts } from '../report/layout.js';
import { usageError } from '../support/errors.js';
import { type Comparison, compareModel } from '../tasks/compare/compare.js';
import { sampleInputs } from '../tasks/evaluate/feeds.js';
import type { Command, Flags } from './command.js';
import { DATA_FLAGS, sampleOptions } from './data-flags.js';
import { MODEL_FLAGS, modelOptions } from './model-flags.js';
import { alignColumns, colors, human, progress, progressBar, result, resultColors, resultJson } from './terminal.js';

/** Samples that are read where the user names no number. */
const SAMPLES = 8;

function tensorRows({ tensors, firstBad }: Comparison): string[] {
  const rows = tensors.map(({ name, op, type, int8, fake, exact, loss }) => [
    op ? String(op.id) : '',
    op ? op.type : '',
    op ? (op.int8 ? 'int8' : 'float') : '',
    decibels(int8.sqnr),
    decibels(fake.sqnr),
    decibels(exact.sqnr),
    loss.toFixed(1),
    int8.cosine.toFixed(4),
    int8.maxError.toPrecision(3),
    `${(100 * int8.clipped).toFixed(2)} %`,
    `[${sparkline(int8.histogram)}]`,
    `${type} "${name}"`,
  ]);
  const head = ['id', 'op', 'in', 'int8', 'fake-q.', 'int8/fake', 'lost', 'cosine', 'max error', 'clipped', 'errors'];
  const [title, ...lines] = alignColumns([[...head, 'tensor'], ...rows], [0, 3, 4, 5, 6, 7, 8, 9]);
  return [
    resultColors.bold(title as string),
    ...lines.map((line, i) => (tensors[i]?.name === firstBad ? resultColors.red(line) : line)),
  ];
}

function sensitivityRows({ sensitivity }: Comparison): string[] {
  if (sensitivity.length === 0) return [];
  const rows = sensitivity.map(({ id, type, alone, gain }) => [
    String(id),
    type,
    decibels(alone),
    `${gain >= 0 ? '+' : ''}${gain.toFixed(1)} dB`,
  ]);
  const [title, ...lines] = alignColumns([['id', 'op', 'alone in int8', 'alone in float'], ...rows], [0, 2, 3]);
  return ['', resultColors.bold(title as string), ...lines];
}

function conclusion({ sqnr, samples, firstBad, sensitivity, suggestion, tensors }: Comparison): string[] {
  const bad = tensors.find((t) => t.name === firstBad);
  const by = bad?.op ? `${bad.op.type} (${bad.op.id}) ` : '';
  const [worst] = sensitivity;
  return [
    '',
    `outputs   ${decibels(sqnr)} against float, over ${samples} samples`,
    `first bad ${bad ? `${by}"${bad.name}": ${decibels(bad.int8.sqnr)}, ${bad.loss.toFixed(1)} dB lost there` : 'none: no op loses more than 8 bits explain'}`,
    ...(worst
      ? [
          `worst     ${worst.type} (${worst.id}): ${decibels(worst.alone)} alone in int8, ${worst.gain.toFixed(1)} dB gained alone in float`,
        ]
      : []),
    suggestion
      ? `suggested --op-ids-to-skip ${suggestion.ids.join(',')}: the outputs come to ${decibels(suggestion.sqnr)}`
      : 'suggested nothing: no op in float would gain 3 dB',
  ];
}

/** JSON knows no infinity: tensors that are equal have null there. */
const json = (comparison: Comparison): object => ({ ...comparison });

async function readSamples(path: string, model: ReturnType<typeof openModel>, flags: Flags): Promise<Sample[]> {
  const { report } = await compile(model.files, modelOptions(model, flags));
  const inputs = sampleInputs(report.entries[0]?.inputs ?? []);
  const given = sampleOptions(flags);
  const source = await openSamples(path, { ...given, samples: given.samples ?? SAMPLES, inputs });
  const samples: Sample[] = [];
  for await (const sample of source.samples()) samples.push(sample);
  return samples;
}

async function run(path: string, flags: Flags): Promise<void> {
  const data = flags.required('data');
  if (data === undefined) throw usageError('qc compare needs samples', { remedy: 'Name them with --data.' });
  const page = flags.required('report');
  const limit = flags.required('sensitivity');
  if (limit !== undefined && !/^\d+$/.test(limit))
    throw usageError(`--sensitivity takes a number of layers, not "${limit}"`);
  const model = openModel(path, flags.required('model-file'));
  const options = modelOptions(model, flags);
  if (options.precision !== undefined && options.precision !== 'int8')
    throw usageError(
      `qc compare compares float, fake-quantized and int8; --precision ${options.precision} has no place`,
    );
  progress('reading the samples');
  const samples = await readSamples(data, model, flags);
  const bar = progressBar('comparing');
  const comparison = await compareModel(model.files, samples, {
    compile: options,
    ...(limit === undefined ? {} : { sensitivity: Number(limit) }),
    onStep: (done, total) => bar.update(done, total),
  }).finally(() => bar.stop());
  if (page !== undefined) {
    const { stages } = lower(model.files, resolveOptions({ ...options, debug: true }));
    const text = explorerPage(stages, await prepareLayouts(), {
      overlays: errorOverlays(comparison),
      title: model.name,
    });
    writeFiles(dirname(page), [{ name: basename(page), data: text }]);
    human(`${colors.green('wrote')} ${page}`);
  }
  if (flags.on('json')) resultJson(json(comparison));
  else result([...tensorRows(comparison), ...sensitivityRows(comparison), ...conclusion(comparison)].join('\n'));
}

/** `qc compare`. */
export const compareCommand: Command = {
  name: 'compare',
  summary: 'Compare float, fake-quantized and int8 at every tensor; find the layers that cost accuracy',
  subject: { name: 'MODEL', doc: 'A quantized model: an ONNX file, or a folder with a model' },
  flags: {
    ...DATA_FLAGS,
    ...MODEL_FLAGS,
    sensitivity: {
      string: true,
      requiresArg: true,
      describe: 'Try so many layers one by one, those with the most error first (default: all; 0: none)',
    },
    report: {
      string: true,
      requiresArg: true,
      describe: 'Write the explorer with the errors as a heat map to this file',
    },
    json: { boolean: true, describe: 'The result as JSON on stdout' },
  },
  examples: [
    ['qc compare net.onnx --data samples', 'error of every tensor, worst layers, suggested skips'],
    ['qc compare net.onnx --data x.npz --sensitivity 10 --report errors.html', 'ten layers one by one; a heat map'],
  ],
  run,
};
