import { quoted, typeName } from '../names.js';
import type { NodeProto } from './proto.js';

/** A node as messages name it, `Conv (12) "name"`. */
export const describeNode = (node: NodeProto, id: number): string =>
  `${typeName(node.opType)} (${id})${node.name === '' ? '' : ` ${quoted(node.name)}`}`;
