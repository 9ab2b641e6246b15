import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Attrs, Graph, type Node } from '../../src/ir/graph.js';
import { parse } from '../../src/ir/parse.js';
import { print, printNode, quantText, typeText } from '../../src/ir/print.js';
import { allocate, f32, type Tensor } from '../../src/ir/tensor.js';
import { CODE_RANGE, type CodeDType, DTYPES, perAxis, perTensor, type Quant, sizeOf } from '../../src/ir/type.js';
import { QcError } from '../../src/support/errors.js';

const TEXT = `graph "digits"
input %0 "input": f32[1,3,4,4]
const %1 "w": i8[2,3,1,1] @i8(axis=0, [0.1, 0.2], zp=[1, 2], range=-127..127, away) = [1, 2, 3, -4, 5, 6]
const %2 "big": f32[9] = base64 "AACAPwAAAEAAAEBAAACAQAAAoEAAAMBAAADgQAAAAEEAABBB"
const %4 "scalar": i64[] = [-9223372036854775808]
%5 "conv 1": u8[1,2,4,4] @u8(0.0235, zp=128) = conv2d(%0, %1, _) {"strides":[1,1],"activation":null} id=3 origin="Conv:conv1" fused=relu(4),elementwise_add(7) float="no \\"scale\\"" byUser=true
%7 "a": f32[1] @i8(1e-10), %8 "b": i64[] = split(%5, %2, %4) {"quant":@i8(0.5)} id=9 int8
folded 1 "Identity" host=3 "passes its input through"
folded 2 "Shape" "its result is constant"
output %8 "logits"
output %8 "again"
`;

/** What a test compares of two graphs; values that nothing reads are not part of the text. */
function content(graph: Graph): object {
  const read = new Set([...graph.outputs.map((o) => o.value), ...graph.nodes.flatMap((n) => n.inputs)]);
  const values = [...graph.values.values()].filter((v) => !v.data || read.has(v.id)).sort((a, b) => a.id - b.id);
  return {
    name: graph.name,
    inputs: graph.inputs,
    outputs: graph.outputs,
    nodes: graph.nodes,
    folded: [...graph.folded],
    values: values.map(({ data, ...rest }) => ({ ...rest, data: data && [...new Uint8Array(data.data.buffer)] })),
  };
}

const fails = (text: string, pattern: RegExp): void => {
  try {
    parse(text);
  } catch (error) {
    assert.instance(error, QcError);
    assert.is((error as QcError).kind, 'model');
    assert.match((error as QcError).message, pattern);
    return;
  }
  assert.unreachable(`parses: ${text}`);
};

test('the text form reads back and prints the same', () => {
  assert.is(print(parse(TEXT)), TEXT);
  assert.is(print(parse(`# a comment\n\n${TEXT.replaceAll('\n', '\r\n')}`)), TEXT);
});

test('a graph that was read can be added to without clashes', () => {
  const graph = parse(TEXT);
  const node = graph.addNode({ op: 'relu', inputs: [0], outputs: [{ type: { dtype: 'f32', shape: [1] }, name: 'a' }] });
  assert.is(node.id, 10);
  assert.is(graph.output(node).name, 'a#1');
  assert.is(graph.output(node).id, 9);
  assert.is(graph.values.has(3), false, 'gaps in the ids stay gaps');
});

test('the short form abbreviates large constants and long lists, and cannot be read', () => {
  const graph = parse(TEXT);
  const short = print(graph, 'short');
  assert.match(short, /const %2 "big": f32\[9\] = #[0-9a-f]{8} \[1, 2, 3, 4, \.\.\.\]/);
  fails(short, /line 4, column \d+: this is the short form/);
  const long = perAxis('i8', 0, new Array(20).fill(0.5));
  assert.is(quantText(long, 'short'), '@i8(axis=0, [0.5, 0.5, 0.5, ... 20])');
  const text = `graph "g"\ninput %0 "x": f32[20] ${quantText(long, 'short')}\n`;
  fails(text, /short form/);
});

test('grids: defaults are left out, the rest is said', () => {
  assert.is(quantText(perTensor('u8', 0.1)), '@u8(0.1)');
  assert.is(quantText(perTensor('u8', 0.1, 7)), '@u8(0.1, zp=7)');
  assert.is(quantText({ ...perTensor('i8', 1e-8), min: -127, rounding: 'away' }), '@i8(1e-8, range=-127..127, away)');
  assert.is(typeText({ dtype: 'i32', shape: [2], quant: perAxis('i32', 0, [1, 2]) }), 'i32[2] @i32(axis=0, [1, 2])');
});

test('a node prints on one line, whatever its names hold', () => {
  const graph = new Graph('g');
  const x = graph.addInput('line\nbreak "quoted" \\', { dtype: 'f32', shape: [1] });
  const node = graph.addNode({
    op: 'relu',
    inputs: [x.id],
    outputs: [{ type: x.type, name: '\u2028' }],
    origin: { name: 'a:b%', type: 'My:Relu%' },
  });
  graph.addOutput(graph.output(node).id, '');
  assert.is(printNode(graph, node).split('\n').length, 1);
  assert.equal(content(parse(print(graph))), content(graph));
});

test('errors name line and column', () => {
  fails('', /there is no graph/);
  fails('input %0 "x": f32[1]', /line 1, column 1: the first line must be/);
  fails('graph "a"\ngraph "b"', /line 2.*second graph/);
  fails('graph "a"\ninput %0 "x": f33[1]', /line 2, column 18: f33 is not a dtype/);
  fails('graph "a"\ninput %0 "x" f32[1]', /expected `:`/);
  fails('graph "a"\ninput %0 "x": f32[1\n', /expected `]`/);
  fails('graph "a"\ninput %0 "x": f32[1] junk\n', /line 2, column 22: unexpected text/);
  fails('graph "a"\ninput %0 "x": f32[1] @u9(1)', /u9 is not a code type/);
  fails('graph "a"\ninput %0 "x": f32[1] @u8(1, foo)', /expected zp=/);
  fails('graph "a"\ninput %0 "x": f32[1]\ninput %0 "y": f32[1]', /line 3.*%0 is declared twice/);
  fails('graph "a"\ninput %0 "x": f32[1]\ninput %1 "x": f32[1]', /name "x" is used twice/);
  fails('graph "a"\n%1 "y": f32[1] = relu(%0) id=0', /%0 is not declared above/);
  fails('graph "a"\n%1 "y": f32[1] = relu(%1) id=0', /%1 is an operand of the node that makes it/);
  fails('graph "a"\n%1 "y": f32[1] = relu()', /expected `id=`/);
  fails('graph "a"\n%1 "y": f32[1] = relu() {"a":} id=0', /column 30: expected the value of an attribute/);
  fails('graph "a"\n%1 "y": f32[1] = relu() {"\\q":1} id=0', /invalid escape/);
  fails('graph "a"\nconst %1 "y": f32[2] = [1]', /the shape needs 2 elements, not 1/);
  fails('graph "a"\nconst %1 "y": i8[1] = [300]', /do not hold elements of type i8/);
  fails('graph "a"\nconst %1 "y": i64[1] = [1.5]', /do not hold elements of type i64/);
  fails('graph "a"\nconst %1 "y": f32[1] = base64 "AAA"', /do not hold elements of type f32/);
  fails('graph "a"\nconst %1 "y": f32[1] = base64 "*"', /do not hold elements of type f32/);
  fails('graph "a"\ninput %99999999999999999999 "x": f32[]', /out of range/);
  fails('graph "a"\ninput %99999999 "x": f32[]', /not a possible value id/);
  fails('graph "a"\noutput %0 "x"', /%0 is not declared/);
});

const dimensions = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 3 });
const scale = fc.float({ noNaN: true, noDefaultInfinity: true, min: Math.fround(1e-30) });

const grid = (shape: readonly number[]): fc.Arbitrary<Quant> =>
  fc
    .record({
      dtype: fc.constantFrom<CodeDType>('i8', 'u8', 'i32'),
      axis: shape.length === 0 ? fc.constant(null) : fc.option(fc.nat(shape.length - 1)),
      narrow: fc.boolean(),
      rounding: fc.constantFrom<'even' | 'away'>('even', 'away'),
    })
    .chain(({ dtype, axis, narrow, rounding }) => {
      const [least, max] = CODE_RANGE[dtype];
      const min = narrow ? least + 1 : least;
      const n = axis === null ? 1 : (shape[axis] as number);
      return fc
        .tuple(
          fc.array(scale, { minLength: n, maxLength: n }),
          fc.array(fc.integer({ min, max }), { minLength: n, maxLength: n }),
        )
        .map(([scales, zeroPoints]) => ({ dtype, axis, scales, zeroPoints, min, max, rounding }));
    });

const type = fc
  .record({ shape: dimensions, dtype: fc.constantFrom(...DTYPES), quantized: fc.boolean() })
  .chain(({ shape, dtype, quantized }) =>
    quantized
      ? grid(shape).chain((quant) =>
          fc.constantFrom<typeof dtype>('f32', quant.dtype).map((d) => ({ dtype: d, shape, quant })),
        )
      : fc.constant({ dtype, shape }),
  );

const constant = type.chain((t): fc.Arbitrary<Tensor> => {
  const bytes = sizeOf(t.shape) * allocate(t.dtype, 1).byteLength;
  return fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((raw) => {
    const data = allocate(t.dtype, sizeOf(t.shape));
    new Uint8Array(data.buffer).set(raw);
    return { type: t, data };
  });
});

const { attrs } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.double(),
    fc.string({ unit: 'binary' }),
    fc.boolean(),
    fc.constant(null),
    grid([]).map((q) => ({ ...q })),
    fc.array(tie('value'), { maxLength: 3 }),
    tie('attrs'),
  ),
  attrs: fc.dictionary(
    fc.string().filter((k) => k !== '__proto__'),
    tie('value'),
    { maxKeys: 3, noNullPrototype: true },
  ),
}));

const text = fc.string({ unit: 'binary', maxLength: 6 });

const nodeExtras = fc.record({
  op: fc.oneof(fc.constantFrom('conv2d', 'fc', 'int8'), text),
  attrs: attrs as fc.Arbitrary<Attrs>,
  outputs: fc.array(fc.record({ name: text, type }), { maxLength: 3 }),
  reads: fc.array(fc.option(fc.nat(1000)), { maxLength: 4 }),
  origin: fc.record({ name: text, type: text }),
  fused: fc.array(fc.record({ id: fc.nat(2000), op: fc.constantFrom('relu', 'add x') }), { maxLength: 2 }),
  placement: fc.option(
    fc.record({ int8: fc.boolean(), reason: text, byUser: fc.boolean() }, { requiredKeys: ['int8'] }),
  ),
  gap: fc.boolean(),
});

test('every graph reads back exactly', () => {
  const graphs = fc.record({
    name: text,
    inputs: fc.array(fc.record({ name: text, type }), { maxLength: 2 }),
    constants: fc.array(fc.record({ name: text, data: constant }), { maxLength: 3 }),
    nodes: fc.array(nodeExtras, { maxLength: 4 }),
    outputs: fc.array(fc.tuple(fc.nat(1000), text), { maxLength: 2 }),
  });
  fc.assert(
    fc.property(graphs, (spec) => {
      const graph = new Graph(spec.name);
      const ids: number[] = [];
      for (const input of spec.inputs) ids.push(graph.addInput(input.name, input.type).id);
      for (const { name, data } of spec.constants) ids.push(graph.addConstant(name, data).id);
      const pick = (n: number | null): number | null =>
        n === null || ids.length === 0 ? null : (ids[n % ids.length] ?? null);
      for (const { reads, placement, gap, fused, ...init } of spec.nodes) {
        if (gap) graph.addConstant('nobody reads this', f32([0], []));
        const node: Node = graph.addNode({ ...init, origin: { ...init.origin }, inputs: reads.map(pick) });
        node.fused.push(...fused.map((f) => ({ ...f })));
        if (placement) node.placement = { ...placement };
        ids.push(...node.outputs);
      }
      graph.folded.set(99, { op: 'Identity', host: null, how: 'x' });
      for (const [n, name] of spec.outputs) {
        const value = pick(n);
        if (value !== null) graph.addOutput(value, name);
      }
      const printed = print(graph);
      const back = parse(printed);
      assert.is(print(back), printed);
      assert.equal(content(back), content(graph));
    }),
    { numRuns: 500 },
  );
});

test('mutated text throws model errors only', () => {
  fc.assert(
    fc.property(fc.nat(TEXT.length - 1), fc.nat(3), fc.string({ maxLength: 3 }), (at, cut, insert) => {
      try {
        parse(TEXT.slice(0, at) + insert + TEXT.slice(at + cut));
      } catch (error) {
        assert.instance(error, QcError);
        assert.is((error as QcError).kind, 'model');
      }
    }),
    { numRuns: 3000 },
  );
});

test('float32 scales and elements print in their shortest form and read back bit for bit', () => {
  fc.assert(
    fc.property(fc.float(), (x) => {
      const graph = new Graph('g');
      graph.addOutput(graph.addConstant('c', f32([1], [x])).id, 'c');
      const data = parse(print(graph)).value(0).data?.data as Float32Array;
      assert.ok(Object.is(data[0], Math.fround(x)));
    }),
    { numRuns: 1000 },
  );
  assert.is(quantText(perTensor('i8', 0.0235)), '@i8(0.0235)');
});

test.run();
