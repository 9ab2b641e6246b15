import { modelError } from '../../support/errors.js';
import { quoted } from '../names.js';
import { describeNode } from './names.js';
import type { NodeProto } from './proto.js';

/**
 * The indices of the nodes in execution order. ONNX demands a sorted list, and a sorted list keeps its order; others are
 * sorted with as few moves as possible. A cycle and a value with two producers are model errors.
 */
export function executionOrder(nodes: readonly NodeProto[]): number[] {
  const producer = findProducers(nodes);
  const order: number[] = [];
  const state = new Uint8Array(nodes.length); // 0 unseen, 1 on the stack, 2 placed
  for (let root = 0; root < nodes.length; root++) {
    // A stack of its own: chains in the file may be longer than the engine's call stack.
    const stack = state[root] === 0 ? [{ id: root, next: 0 }] : [];
    while (stack.length > 0) {
      const top = stack[stack.length - 1] as { id: number; next: number };
      state[top.id] = 1;
      const name = nodes[top.id]?.input[top.next++];
      if (name === undefined) {
        state[top.id] = 2;
        order.push(top.id);
        stack.pop();
        continue;
      }
      const before = producer.get(name);
      if (before === undefined || state[before] === 2) continue;
      if (state[before] === 1)
        throw modelError(`the graph has a cycle through ${quoted(name)}`, {
          node: describeNode(nodes[before] as NodeProto, before),
        });
      stack.push({ id: before, next: 0 });
    }
  }
  return order;
}

function findProducers(nodes: readonly NodeProto[]): Map<string, number> {
  const producer = new Map<string, number>();
  nodes.forEach((node, id) => {
    for (const name of node.output) {
      if (name === '') continue;
      const other = producer.get(name);
      if (other !== undefined)
        throw modelError(`${quoted(name)} is also an output of ${describeNode(nodes[other] as NodeProto, other)}`, {
          node: describeNode(node, id),
        });
      producer.set(name, id);
    }
  });
  return producer;
}
