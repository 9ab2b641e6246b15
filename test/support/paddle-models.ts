/** The shared Paddle models: programs, parameters, data and references. Tests that use them skip where they are absent. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readNamedTensor } from '../../src/data/tensor-file.js';
import { decodeProgram, type OpDesc, type ProgramDesc } from '../../src/frontends/paddle/proto.js';
import { type OpenedModel, openModel } from '../../src/host/open-model.js';
import type { Tensor } from '../../src/ir/tensor.js';
import { MODELS } from './models.js';

const ROOT = join(MODELS, 'paddle');

/** The shared models, and the shapes that their references have. */
export const PADDLE = {
  cls: { folder: 'ch_ppocr_mobile_v2.0_cls', shape: [1, 3, 48, 192] },
  clsQuantized: { folder: 'ch_ppocr_mobile_v2.0_cls_slim', shape: [1, 3, 48, 192] },
  det: { folder: 'ch_PP-OCRv2_det', shape: [1, 3, 320, 320] },
  detQuantized: { folder: 'ch_PP-OCRv2_det_slim_quant', shape: [1, 3, 320, 320] },
} as const;

/** The name of a shared model. */
export type PaddleName = keyof typeof PADDLE;

/** Whether the shared models are here. */
export const hasPaddle = existsSync(join(ROOT, PADDLE.cls.folder));

/** A shared model, opened as the command line does. */
export const openPaddle = (name: PaddleName): OpenedModel => openModel(join(ROOT, PADDLE[name].folder));

/** The options that give a shared model the shape of its references. */
export const paddleOptions = (name: PaddleName) => ({
  name: PADDLE[name].folder,
  file: openPaddle(name).file,
  inputShapes: { x: PADDLE[name].shape },
});

/** A file of a shared model's folder as text. */
export const paddleText = (name: PaddleName, file: string): string =>
  readFileSync(join(ROOT, PADDLE[name].folder, file), 'utf8');

/** A tensor of a shared model's folder. */
export function paddleTensor(name: PaddleName, file: string): Tensor {
  const path = join(ROOT, PADDLE[name].folder, file);
  const found = readNamedTensor(path, readFileSync(path));
  if (!found) throw new Error(`${path} is no tensor`);
  return found.tensor;
}

/** The input and output of the three data sets of a shared model. */
export const paddleSets = (name: PaddleName): { readonly input: Tensor; readonly output: Tensor }[] =>
  readdirSync(join(ROOT, PADDLE[name].folder))
    .filter((f) => f.startsWith('test_data_set_'))
    .sort()
    .map((set) => ({
      input: paddleTensor(name, `${set}/input_0.pb`),
      output: paddleTensor(name, `${set}/output_0.pb`),
    }));

/** A file with one value per line and column of the shared Paddle models, without its head. */
export const paddleTable = (file: string): string[][] =>
  readFileSync(join(ROOT, file), 'utf8')
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => line.split(','));

/** The program of a shared model. */
export const programOf = (name: PaddleName): ProgramDesc => decodeProgram(openPaddle(name).files.bytes);

/** The ops of a program's block 0. */
export const opsOf = (program: ProgramDesc): readonly OpDesc[] => program.blocks[0]?.ops ?? [];
