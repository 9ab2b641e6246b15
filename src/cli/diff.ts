import { existsSync } from 'node:fs';
import { type CompileResult, compile, lower } from '../compile.js';
import { diffModules, moduleDifferenceText } from '../diff-modules.js';
import { readFile } from '../host/files.js';
import { isFolder } from '../host/list-pictures.js';
import { openModel } from '../host/open-model.js';
import { diffGraphs, diffText, type GraphDiff, isEmpty } from '../ir/diff.js';
import type { NodeSnapshot } from '../ir/snapshot.js';
import { resolveOptions } from '../options.js';
import type { ModuleInfo } from '../runtime/abi.js';
import { isWasm } from '../runtime/module-info.js';
import type { Stage } from '../stages.js';
import { usageError } from '../support/errors.js';
import type { Command, Flags } from './command.js';
import { moduleInfoOf } from './inspect.js';
import { MODEL_FLAGS, modelOptions } from './model-flags.js';
import { parseWords } from './parse-words.js';
import { progress, result, resultColors, resultJson } from './terminal.js';

/** One side of a comparison: a module, or a model that was compiled; stages are known of models only. */
interface Side {
  readonly title: string;
  readonly info: ModuleInfo;
  readonly last: Stage | undefined;
}

const isModule = (path: string): boolean => !isFolder(path) && isWasm(readFile(path));

async function openSide(path: string, flags: Flags, title: string): Promise<Side> {
  if (isModule(path)) {
    const given = Object.keys(MODEL_FLAGS).find((name) => flags.list(name).length > 0);
    if (given) throw usageError(`--${given} says how to compile, but ${path} is compiled already`);
    return { title, info: moduleInfoOf(path, readFile(path)).info, last: undefined };
  }
  progress(`compiling ${title}`);
  const model = openModel(path, flags.required('model-file'));
  const compiled: CompileResult = await compile(model.files, { ...modelOptions(model, flags), debug: true });
  return { title, info: compiled.report, last: compiled.stages.at(-1) };
}

/** The side that the command line names second: a further word, or --against with flags in quotes. */
async function otherSide(path: string, flags: Flags, subjects: readonly string[]): Promise<Side> {
  const [, second, third] = subjects;
  const against = flags.text('against');
  if (third !== undefined) throw usageError(`qc diff compares two things, but also got ${third}`);
  if (second !== undefined && against !== undefined)
    throw usageError('the second side is given twice: as a word, and with --against');
  if (second !== undefined) return openSide(second, isModule(second) ? parseWords('', {}).flags : flags, second);
  if (against === undefined)
    throw usageError('there is one side only', {
      remedy: 'Name a second model or module, other flags with --against, or two passes with --passes.',
    });
  const known = { ...MODEL_FLAGS };
  const parsed = existsSync(against)
    ? { words: [against], flags: parseWords('', known).flags }
    : parseWords(against, known);
  const [file = path, more] = parsed.words;
  if (more !== undefined) throw usageError(`--against takes one model or module and flags, but got "${more}" too`);
  return openSide(file, parsed.flags, against.trim() === '' ? `${file} without flags` : against);
}

/** A stage by the number or name of its pass; where a pass runs twice, its last time. */
function stageOf(stages: readonly Stage[], asked: string): Stage {
  const name = asked.replaceAll('_', '-');
  const found = stages.findLast((stage) => stage.name === name || String(stage.index) === name);
  if (found) return found;
  throw usageError(`there is no pass "${asked}"`, {
    remedy: `The passes are ${stages.map((s) => `${s.index} ${s.name}`).join(', ')}.`,
  });
}

function diffPasses(path: string, flags: Flags): { titles: [string, string]; diff: GraphDiff } {
  const words = flags.words('passes') ?? [];
  if (words.length < 1 || words.length > 2) throw usageError('--passes takes one pass or two, by name or number');
  const model = openModel(path, flags.required('model-file'));
  const { stages } = lower(model.files, resolveOptions({ ...modelOptions(model, flags), debug: true }));
  const to = stageOf(stages, words.at(-1) as string);
  const from =
    words.length === 2 ? stageOf(stages, words[0] as string) : (stages[Math.max(0, stages.indexOf(to) - 1)] ?? to);
  const title = ({ index, name }: Stage): string => `${index} ${name}`;
  return { titles: [title(from), title(to)], diff: diffGraphs(from.snapshot, to.snapshot) };
}

/** Nodes in JSON: what identifies them. */
const brief = ({ id, op, kind, origin }: NodeSnapshot): object => ({ id, op, kind, name: origin.name });

const graphJson = ({ added, removed, changed, border }: GraphDiff): object => ({
  border,
  added: added.map((node) => ({ ...brief(node), ...(node.neededBy ? { neededBy: node.neededBy } : {}) })),
  removed: removed.map(({ node, how }) => ({ ...brief(node), how })),
  changed: changed.map(({ after, differences }) => ({ ...brief(after), differences })),
});

function counts({ added, removed, changed }: GraphDiff): string {
  return `${changed.length} changed, ${added.length} added, ${removed.length} removed`;
}

const paint = (line: string): string =>
  line.startsWith('+') ? resultColors.green(line) : line.startsWith('-') ? resultColors.red(line) : line;

async function run(path: string, flags: Flags, subjects: readonly string[]): Promise<void> {
  if (flags.words('passes') !== undefined) {
    if (subjects.length > 1 || flags.list('against').length > 0)
      throw usageError('--passes compares two passes of one model');
    if (isModule(path)) throw usageError(`${path} is compiled already: it has no passes`);
    const { titles, diff } = diffPasses(path, flags);
    progress('');
    if (flags.on('json')) resultJson({ before: titles[0], after: titles[1], graph: graphJson(diff) });
    else
      result(
        [resultColors.bold(`${titles[0]} -> ${titles[1]}: ${counts(diff)}`), ...diffText(diff).map(paint)].join('\n'),
      );
    return;
  }
  const left = await openSide(path, flags, path);
  const right = await otherSide(path, flags, subjects);
  const diff = left.last && right.last && diffGraphs(left.last.snapshot, right.last.snapshot);
  const module = diffModules(left.info, right.info);
  progress('');
  if (flags.on('json')) {
    const graph = diff ? { graph: graphJson(diff) } : {};
    resultJson({ before: left.title, after: right.title, module, ...graph });
    return;
  }
  result(
    [
      resultColors.bold(`${left.title} -> ${right.title}`),
      ...(module.length === 0 ? ['the modules say the same'] : module.map(moduleDifferenceText)),
      ...(diff && !isEmpty(diff)
        ? ['', resultColors.bold(`graphs: ${counts(diff)}`), ...diffText(diff).map(paint)]
        : []),
    ].join('\n'),
  );
}

/** `qc diff`. */
export const diffCommand: Command = {
  name: 'diff',
  summary: 'Show what differs between two passes, two sets of flags, two models or two modules',
  subject: { name: 'MODEL|MODULE', doc: 'A model or a .wasm, or two of them', many: true },
  flags: {
    passes: {
      string: true,
      requiresArg: true,
      describe: 'Two passes of the model, by name or number, e.g. import,fuse-bias',
    },
    against: { string: true, describe: 'The second side: flags in quotes, with another model or module before them' },
    ...MODEL_FLAGS,
    json: { boolean: true, describe: 'The same as JSON' },
  },
  examples: [
    ['qc diff net.onnx --passes fuse-activation', 'what this pass does to the model'],
    ['qc diff net.onnx --against="--op-ids-to-skip 12"', 'what skipping an op changes'],
    ['qc diff old/net.wasm new/net.wasm', 'what two modules compute differently'],
  ],
  run,
};
