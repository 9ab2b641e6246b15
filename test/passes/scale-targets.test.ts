/** Which values of a float network take scales, and by whose numbers. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { PassContext } from '../../src/passes/pass.js';
import { scaleTargets } from '../../src/passes/scale-targets.js';
import { graphOf, passContext } from '../support/passes.js';

/** `name<source op`, per target. */
const targets = (text: string, options: Partial<PassContext> = {}): string[] =>
  scaleTargets(graphOf(`graph "g"\n${text}`), passContext(options)).map(
    ({ name, source, op }) => `${name}<${source} ${op}`,
  );

const CHAIN = `input %0 "x": f32[1,1,4,4]
const %1 "w": f32[1,1,1,1] = [3]
%2 "a": f32[1,1,4,4] = conv2d(%0, %1) {$plain,"activation":{"kind":"relu"}} id=0
%3 "m": f32[1,1,2,2] = pool2d(%2) {"poolType":"max",$window} id=1
%4 "b": f32[1,1,2,2] = conv2d(%3, %1) {$plain,"activation":null} id=2
output %4 "b"
`;

test('operands of products take scales, moved data those of their source; the last product gives reals', () => {
  assert.equal(targets(CHAIN), ['x<x input', 'a<a conv2d', 'm<a conv2d']);
});

test('what the user leaves in float takes none', () => {
  assert.equal(targets(CHAIN, { opIdsToSkip: [0] }), ['a<a conv2d', 'm<a conv2d']);
  assert.equal(targets(CHAIN, { opIdsToSkip: [0, 2] }), []);
  assert.equal(targets(CHAIN, { opsToQuantize: new Set(['depthwise_conv2d']) }), []);
});

test('what only a concatenation reads is written on its grid; what others read too is not', () => {
  const text = (outputs: string): string => `input %0 "x": f32[1,1,2,2]
const %1 "w": f32[1,1,1,1] = [3]
const %2 "v": f32[1,2,1,1] = [3, 2]
%3 "a": f32[1,1,2,2] = conv2d(%0, %1) {$plain,"activation":null} id=0
%4 "b": f32[1,1,2,2] = conv2d(%0, %1) {$plain,"activation":null} id=1
%5 "c": f32[1,2,2,2] = concat(%3, %4) {"axis":1} id=2
%6 "y": f32[1,1,2,2] = conv2d(%5, %2) {$plain,"activation":null} id=3
${outputs}output %6 "y"
`;
  assert.equal(targets(text('')), ['x<x input', 'a<c concat', 'b<c concat', 'c<c concat']);
  assert.equal(targets(text('output %3 "a"\n')), ['x<x input', 'a<a conv2d', 'b<c concat', 'c<c concat']);
});

test('a residual is an operand; light ops at the end stay in float', () => {
  const text = `input %0 "x": f32[1,1,2,2]
const %1 "w": f32[1,1,1,1] = [3]
%2 "a": f32[1,1,2,2] = conv2d(%0, %1) {$plain,"activation":null} id=0
%3 "b": f32[1,1,2,2] = conv2d(%2, %1, _, %2) {$plain,"activation":null} id=1
%4 "y": f32[1,1,2,2] = elementwise_mul(%3, %3) {"activation":null} id=2
output %4 "y"
`;
  assert.equal(targets(text), ['x<x input', 'a<a conv2d']);
});

test.run();
