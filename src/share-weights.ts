import type { Plan } from './codegen/plan/plan.js';
import { type Piece, writeDelta } from './runtime/delta.js';
import { readModuleInfo } from './runtime/module-info.js';

/** Shorter equal stretches cost more to name than they save. */
const LEAST = 64;

const startsAt = (bytes: Uint8Array, at: number, content: Uint8Array): boolean => {
  for (let i = 0; i < content.length; i++) if (bytes[at + i] !== content[i]) return false;
  return true;
};

/** Where bytes first occur from `from` on; -1 where they do not. */
function find(bytes: Uint8Array, content: Uint8Array, from: number): number {
  const first = content[0] as number;
  for (let at = bytes.indexOf(first, from); at >= 0; at = bytes.indexOf(first, at + 1))
    if (startsAt(bytes, at, content)) return at;
  return -1;
}

const contents = (plan: Plan): Uint8Array[] =>
  plan.buffers.flatMap(({ content }) => (content && content.length >= LEAST ? [content] : []));

/** Stretches of `module` that `base` has too, in order: constants of its plan, which both hold as they are. */
function sharedPieces(base: Uint8Array, baseData: readonly Uint8Array[], module: Uint8Array, plan: Plan): Piece[] {
  const places = new Map<Uint8Array, number>();
  let at = 8;
  for (const content of baseData) {
    const place = find(base, content, at);
    if (place < 0) continue;
    places.set(content, place);
    at = place + content.length;
  }
  const pieces: Piece[] = [];
  let end = 0;
  for (const content of contents(plan)) {
    const twin = baseData.find((other) => other.length === content.length && startsAt(other, 0, content));
    const start = twin && places.get(twin);
    const place = start === undefined ? -1 : find(module, content, end);
    if (start === undefined || place < 0) continue;
    if (place > end) pieces.push({ start: 0, length: place - end });
    pieces.push({ start, length: content.length });
    end = place + content.length;
  }
  return [...pieces, { start: 0, length: module.length - end }];
}

/** A module and its plan. */
export interface Planned {
  readonly wasm: Uint8Array;
  readonly plan: Plan;
}

/** A module as what it does not share with another one. */
export const shareWeights = (base: Planned, module: Planned): Uint8Array =>
  writeDelta(
    base.wasm,
    base.wasm.length - readModuleInfo(base.wasm).sizes.info,
    module.wasm,
    sharedPieces(base.wasm, contents(base.plan), module.wasm, module.plan),
  );
