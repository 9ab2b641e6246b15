/**
 * Golden tests of passes. `test/passes/golden/NAME.txt` holds cases, text in and text out:
 *
 *     === what the case shows
 *     @ skip=3 numeric=off
 *     graph "g"
 *     ...
 *     =>
 *     graph "g"
 *     ...
 *
 * After the arrow stands the graph that the passes give, `unchanged`, or `error: ` and the message with its remedy.
 * `BLESS=1` writes what comes out into the file. Every case is also interpreted before and after on random inputs.
 *
 * Options: `skip`, `ops` and `precision` are those of the compiler; `numeric` says how far the outputs may move:
 * `exact`, `close` (1e-5 of the greatest magnitude), `quanta` (a few elements by one quantum) or `off`.
 * `$plain` and `$window` abbreviate the attributes of convolutions and pools.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Graph } from '../../src/ir/graph.js';
import { parse } from '../../src/ir/parse.js';
import { Patch } from '../../src/ir/patch.js';
import { print } from '../../src/ir/print.js';
import type { Tensor } from '../../src/ir/tensor.js';
import { verify } from '../../src/ir/verify.js';
import { centredCodes } from '../../src/ops/codes.js';
import { OPS } from '../../src/ops/index.js';
import { interpret, outputsOf } from '../../src/ops/interpret.js';
import type { Pass, PassContext } from '../../src/passes/pass.js';
import { QcError } from '../../src/support/errors.js';
import { randomFeeds } from './op-check.js';

/** How far the outputs may move. */
export type Numeric = 'exact' | 'close' | 'quanta' | 'off';

const PLAIN = '"strides":[1,1],"pads":[0,0,0,0],"dilations":[1,1],"groups":1';
const WINDOW =
  '"ksize":[2,2],"strides":[2,2],"pads":[0,0,0,0],"dilations":[1,1],"global":false,"countIncludePad":false,"ceilMode":false';

/** The graph of a text with the abbreviations of this file. */
export const graphOf = (text: string): Graph => parse(text.replaceAll('$plain', PLAIN).replaceAll('$window', WINDOW));

/** The text of a graph with the abbreviations of this file. */
export const textOf = (graph: Graph): string => print(graph).replaceAll(PLAIN, '$plain').replaceAll(WINDOW, '$window');

/** What passes know by default: all ops in int8. */
export const passContext = (options: Partial<PassContext> = {}): PassContext => ({
  ops: OPS,
  inferScales: true,
  precision: 'int8',
  opsToQuantize: null,
  opIdsToSkip: [],
  minRegion: 1,
  calibration: null,
  note() {},
  ...options,
});

/** Runs passes on a graph and verifies it after each. Returns the number of changes of each. */
export function runPasses(graph: Graph, passes: readonly Pass[], context: PassContext = passContext()): number[] {
  verify(graph, context.ops);
  return passes.map((pass) => {
    const patch = new Patch(graph, pass.name);
    pass.run(graph, patch, context);
    verify(graph, context.ops);
    return patch.count;
  });
}

/** What an interpreter run of a graph gives under its output names. */
export const outputsFor = (graph: Graph, feeds: Readonly<Record<string, Tensor>>): Record<string, Tensor> =>
  outputsOf(graph, interpret(graph, OPS, feeds));

/** Asserts that what a graph computes lies within the ranges that it claims. */
export function expectWithinRanges(graph: Graph, feeds: Readonly<Record<string, Tensor>>): void {
  const env = interpret(graph, OPS, feeds);
  for (const { id, range, name } of graph.values.values()) {
    const tensor = env.get(id);
    if (!range || !tensor) continue;
    const out = centredCodes(tensor).filter((code) => code < range.lo || code > range.hi);
    assert.equal([...out.subarray(0, 3)], [], `"${name}" is said to be in ${range.lo}..${range.hi} (${range.proof})`);
  }
}

/** How two tensors differ. */
export interface Difference {
  /** Share of the elements that are not within 1e-5 of the greatest magnitude. */
  readonly share: number;
  /** Greatest difference, in quanta of the tensor's grid (of the greatest magnitude where it has none). */
  readonly greatest: number;
  readonly identical: boolean;
}

/** Compares what two graphs give. */
export function difference(actual: Tensor, expected: Tensor): Difference {
  assert.is(actual.data.length, expected.data.length);
  const codes = actual.type.dtype !== 'f32';
  const magnitude = Math.max(1e-30, ...Array.from(expected.data as Float32Array, (v) => Math.abs(Number(v))));
  const quantum = codes ? 1 : (actual.type.quant?.scales[0] ?? magnitude);
  let [moved, greatest, identical] = [0, 0, true];
  for (let i = 0; i < expected.data.length; i++) {
    const [a, e] = [Number(actual.data[i]), Number(expected.data[i])];
    if (a !== e && !(Number.isNaN(a) && Number.isNaN(e))) identical = false;
    if (Math.abs(a - e) > 1e-5 * magnitude) moved++;
    greatest = Math.max(greatest, Math.abs(a - e) / quantum);
  }
  return { share: moved / Math.max(1, expected.data.length), greatest, identical };
}

const RUNS = 8;

/** The greatest share of elements that `quanta` lets move, over all runs. */
const MOVED_SHARE = 0.02;

/** Throws unless two graphs compute the same, as far as `numeric` says, on some random inputs. */
function expectSameNumbers(before: Graph, after: Graph, numeric: Numeric): void {
  if (numeric === 'off') return;
  let share = 0;
  for (let seed = 1; seed <= RUNS; seed++) {
    const feeds = randomFeeds(before, seed);
    const [expected, actual] = [outputsFor(before, feeds), outputsFor(after, feeds)];
    assert.equal(Object.keys(actual), Object.keys(expected), 'names of the outputs');
    for (const [name, tensor] of Object.entries(expected)) {
      const found = difference(actual[name] as Tensor, tensor);
      share += found.share / RUNS / Object.keys(expected).length;
      const fits =
        numeric === 'exact' ? found.identical : numeric === 'close' ? found.share === 0 : found.greatest < 1.001;
      if (!fits) throw new Error(`output "${name}" moved, only ${numeric} is allowed: ${JSON.stringify(found)}`);
    }
  }
  if (share > MOVED_SHARE) throw new Error(`${100 * share} % of the elements moved`);
}

interface Case {
  readonly name: string;
  readonly options: Readonly<Record<string, string>>;
  readonly input: string;
  readonly output: string;
}

const pathOf = (name: string): URL => new URL(`../passes/golden/${name}.txt`, import.meta.url);

/** The cases of a golden file. */
export function readCases(name: string): Case[] {
  const [head, ...sections] = readFileSync(pathOf(name), 'utf8').split(/^=== /m);
  assert.is(head, '', `${name}.txt begins with a case`);
  return sections.map((section) => {
    const [before, output = ''] = section.split(/^=>\n/m) as [string, string | undefined];
    const lines = before.split('\n');
    const options = lines.filter((l) => l.startsWith('@ ')).flatMap((l) => l.slice(2).split(/\s+/));
    return {
      name: lines[0] as string,
      options: Object.fromEntries(options.map((o) => o.split('=') as [string, string])),
      input: lines
        .slice(1)
        .filter((l) => !l.startsWith('@ '))
        .join('\n'),
      output,
    };
  });
}

function writeCases(name: string, cases: readonly Case[]): void {
  const text = cases.map(({ name: title, options, input, output }) => {
    const line = Object.entries(options).map(([key, value]) => `${key}=${value}`);
    return `=== ${title}\n${line.length > 0 ? `@ ${line.join(' ')}\n` : ''}${input}=>\n${output}`;
  });
  writeFileSync(pathOf(name), text.join(''));
}

const list = (text: string | undefined): string[] => (text ? text.split(',') : []);

const contextOf = ({ options }: Case): PassContext =>
  passContext({
    ...(options.precision ? { precision: options.precision as PassContext['precision'] } : {}),
    ...(options.ops ? { opsToQuantize: new Set(list(options.ops)) } : {}),
    opIdsToSkip: list(options.skip).map(Number),
  });

/** What the passes make of a case. */
function resultOf(c: Case, passes: readonly Pass[], numeric: Numeric): string {
  const before = graphOf(c.input);
  const after = graphOf(c.input);
  try {
    runPasses(after, passes, contextOf(c));
  } catch (error) {
    if (!(error instanceof QcError) || error.kind === 'internal') throw error;
    return `error: ${error.format()}\n\n`;
  }
  expectSameNumbers(before, after, (c.options.numeric as Numeric | undefined) ?? numeric);
  return textOf(after) === textOf(before) ? 'unchanged\n\n' : `${textOf(after)}\n`;
}

/** Registers a test per case of golden/NAME.txt; `numeric` is what holds for a case that does not say. */
export function goldenTests(name: string, passes: readonly Pass[], numeric: Numeric): void {
  const cases = readCases(name);
  const blessed: Case[] = [];
  for (const c of cases)
    test(`${name}: ${c.name}`, () => {
      const result = resultOf(c, passes, numeric);
      if (process.env.BLESS) {
        blessed.push({ ...c, output: result });
        if (blessed.length === cases.length) writeCases(name, blessed);
      } else if (result !== c.output) assert.fixture(result, c.output, `${c.name} (BLESS=1 accepts what comes out)`);
    });
}

/** The ops of a graph with their ids, in order: `conv2d (3)`. */
export const nodesOf = (graph: Graph): string[] => graph.nodes.map((node) => `${node.op} (${node.id})`);
