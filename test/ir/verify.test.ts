import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Graph, Node, Value } from '../../src/ir/graph.js';
import type { OpTable } from '../../src/ir/op.js';
import { parse } from '../../src/ir/parse.js';
import { f32, type Tensor } from '../../src/ir/tensor.js';
import { verify } from '../../src/ir/verify.js';
import { QcError } from '../../src/support/errors.js';

/** Elementwise ops of one and of one to two inputs: the verifier needs no more. */
const OPS: OpTable = new Map(
  (['unary', 'binary', 'count'] as const).map((name) => [
    name,
    {
      name,
      doc: '',
      inputs: name === 'binary' ? [1, 2] : [1, 1],
      quant: 'float-only',
      infer: (_attrs, inputs) => {
        const shape = inputs[0]?.type.shape ?? [];
        if (shape.length > 3) throw new Error('the rank is too great');
        return [{ dtype: name === 'count' ? 'i64' : 'f32', shape }];
      },
      reference: (_attrs, inputs) => [inputs[0] as Tensor],
    },
  ]),
);

const GOOD = `graph "g"
input %0 "x": f32[2,3]
const %1 "w": i8[2,3] @i8(axis=0, [0.5, 0.25]) = [1, 2, 3, 4, 5, 6]
%2 "a": f32[2,3] @u8(0.1, zp=3) = unary(%0) id=0
%3 "b": u8[2,3] @u8(0.1, zp=3) = binary(%2, %1) {"list":[1,{"k":null}]} id=1 origin="Add:sum" fused=relu(4)
%4 "c": f32[2,3] = binary(%3, _) id=2
%5 "n": i64[2,3] = count(%4) id=3
folded 5 "Identity" host=1 "gone"
output %4 "y"
output %5 "n"
`;

/** Breaks the good graph and says how verify must complain. */
function broken(name: string, invariant: number, pattern: RegExp, spoil: (graph: Graph) => void): void {
  test(`invariant ${invariant}: ${name}`, () => {
    const graph = parse(GOOD);
    spoil(graph);
    try {
      verify(graph, OPS);
    } catch (error) {
      assert.instance(error, QcError);
      const { kind, message } = error as QcError;
      assert.is(kind, 'internal');
      assert.ok(message.startsWith(`broken invariant ${invariant}: `), message);
      assert.match(message, pattern);
      return;
    }
    assert.unreachable('not noticed');
  });
}

const node = (graph: Graph, i: number): Node => graph.nodes[i] as Node;
const mutable = (value: Value): { -readonly [K in keyof Value]: Value[K] } => value;
const regrid = (graph: Graph, id: number, changes: object): void => {
  const value = graph.value(id);
  value.type = { ...value.type, quant: { ...value.type.quant, ...changes } as never };
};

test('a good graph passes', () => verify(parse(GOOD), OPS));

broken('a shared id', 1, /second node with id 0/, (g) => g.nodes.push({ ...node(g, 0) }));
broken('a fractional id', 1, /1.5 is not a possible node id/, (g) => Object.assign(node(g, 1), { id: 1.5 }));
broken('a fused node alive', 2, /relu \(2\) is fused here and still has a node/, (g) => {
  node(g, 1).fused.push({ id: 2, op: 'relu' });
});
broken('fused twice', 2, /fused twice/, (g) => node(g, 2).fused.push({ id: 4, op: 'relu' }));
broken('a folded node alive', 2, /folded and still alive/, (g) => {
  g.folded.set(1, { op: 'Add', host: null, how: '' });
});
broken('a missing operand', 3, /input 0 is %77, which does not exist/, (g) =>
  Object.assign(node(g, 2), { inputs: [77] }),
);
broken('a missing result', 3, /%77, which does not exist/, (g) => Object.assign(node(g, 2), { outputs: [77] }));
broken('a wrong own id', 3, /%2 says that it is %9/, (g) => Object.assign(g.value(2), { id: 9 }));
broken('two producers', 4, /%2 "a" is .* and also output 0 of unary \(0\)/, (g) => {
  node(g, 1).outputs = [2];
});
broken('an input that is made', 4, /%4 "c"/, (g) => g.inputs.push(4));
broken('a node before its operand', 5, /which nothing makes before this node/, (g) => g.nodes.reverse());
broken('two names', 6, /both named "a"/, (g) => Object.assign(mutable(g.value(4)), { name: 'a' }));
broken('two outputs of one name', 6, /two outputs are named "y"/, (g) => g.addOutput(4, 'y'));
broken('no output', 7, /no output/, (g) => g.outputs.splice(0));
broken('an output that nothing makes', 7, /which nothing makes/, (g) => g.nodes.pop());
broken('an unknown op', 8, /there is no op lstm/, (g) => Object.assign(node(g, 0), { op: 'lstm' }));
broken('too many inputs', 8, /takes 1 to 1 inputs, not 2/, (g) => node(g, 0).inputs.push(0));
broken('an absent required input', 8, /must not be absent/, (g) => Object.assign(node(g, 0), { inputs: [null] }));
broken('NaN in the attributes', 9, /not plain JSON/, (g) => Object.assign(node(g, 0), { attrs: { a: [Number.NaN] } }));
broken('a typed array in the attributes', 9, /not plain JSON/, (g) => {
  Object.assign(node(g, 0), { attrs: { a: new Float32Array(1) } });
});
broken('a fractional shape', 10, /%4 "c" has the shape/, (g) => {
  g.value(4).type = { dtype: 'f32', shape: [2, 1.5] };
});
broken('too few scales', 11, /1 scales where 2 are needed/, (g) => regrid(g, 1, { scales: [1] }));
broken('too few zero points', 11, /1 zero points where 2 are needed/, (g) => regrid(g, 1, { zeroPoints: [0] }));
broken('a scale of 0', 11, /the scale 0/, (g) => regrid(g, 2, { scales: [0] }));
broken('an infinite scale', 11, /the scale Infinity/, (g) => regrid(g, 2, { scales: [Infinity] }));
broken('a scale that is no float32', 11, /the scale 0.1,/, (g) => regrid(g, 2, { scales: [0.1] }));
broken('a zero point out of range', 11, /zero point 256 outside 0..255/, (g) => regrid(g, 2, { zeroPoints: [256] }));
broken('an impossible range', 11, /range 0..300/, (g) => regrid(g, 2, { max: 300 }));
broken('an impossible axis', 11, /axis 5 of a tensor of rank 2/, (g) => regrid(g, 1, { axis: 5 }));
broken('codes of another type', 12, /is u8 on a grid of i8/, (g) => regrid(g, 3, { dtype: 'i8', min: -128, max: 127 }));
broken('a constant of another type', 13, /another type than its value/, (g) => {
  g.value(1).type = { dtype: 'i8', shape: [2, 3] };
});
broken('a constant that does not fill its shape', 13, /holds 5 elements, not 6/, (g) => {
  const value = mutable(g.value(1));
  value.data = { type: value.type, data: new Int8Array(5) };
});
broken('a constant in the wrong array', 13, /holds its i8 in Uint8Array/, (g) => {
  const value = mutable(g.value(1));
  value.data = { type: value.type, data: new Uint8Array(6) };
});
broken('codes outside the range', 13, /the code 6 outside -5..5/, (g) => {
  regrid(g, 1, { min: -5, max: 5 });
  const value = mutable(g.value(1));
  value.data = { type: value.type, data: (value.data as Tensor).data };
});
broken('another shape than inferred', 14, /should be f32\[2,3\], not f32\[3,2\]/, (g) => {
  g.value(4).type = { dtype: 'f32', shape: [3, 2] };
});
broken('another dtype than inferred', 14, /should be i64\[2,3\], not f32/, (g) => {
  g.value(5).type = { dtype: 'f32', shape: [2, 3] };
});
broken('plain integers where reals are inferred', 14, /should be f32/, (g) => {
  g.value(4).type = { dtype: 'i8', shape: [2, 3] };
});
broken('infer throws', 14, /infer refuses the node: the rank is too great/, (g) => {
  g.value(0).type = { dtype: 'f32', shape: [1, 1, 2, 3] };
});
broken('a range of reals', 15, /%4 "c" has a range of codes but holds f32/, (g) => {
  g.value(4).range = { lo: 0, hi: 1, proof: '' };
});
broken('a range beyond the grid', 15, /%3 "b" has the range -4..0, which is not within -3..252/, (g) => {
  g.value(3).range = { lo: -4, hi: 0, proof: '' };
});
broken('an empty range', 15, /the range 2..1/, (g) => {
  g.value(3).range = { lo: 2, hi: 1, proof: '' };
});

test('the message shows the node between its neighbours', () => {
  const graph = parse(GOOD);
  node(graph, 1).inputs = [3];
  try {
    verify(graph, OPS);
    assert.unreachable();
  } catch (error) {
    const { message, where } = error as QcError;
    assert.is(where.node, 'binary (1) "sum"');
    const lines = message.split('\n').slice(1);
    assert.is(lines.length, 4);
    assert.ok(lines[0]?.startsWith('    %2 "a"'));
    assert.ok(lines[1]?.startsWith('>>> %3 "b"'));
  }
});

test('a damaged graph still prints', () => {
  const graph = parse(GOOD);
  Object.assign(node(graph, 0), { op: 'lstm', outputs: [77] });
  assert.throws(() => verify(graph, OPS), /%77 \? = lstm\(%0\)/);
});

test('a constant without readers is checked as well', () => {
  const graph = parse(GOOD);
  const value = mutable(graph.addConstant('unread', f32([2], [1, 2])));
  value.data = f32([1], [1]);
  assert.throws(() => verify(graph, OPS), /invariant 13/);
});

test.run();
