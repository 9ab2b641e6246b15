import { kernelKey } from '../kernel.js';
import type { Arg } from '../lowering.js';
import { type Buffer, type Call, isRef, type Plan, type PlanEntry } from './plan.js';

/**
 * One plan of several for the same network on other shapes: each becomes an entry. Constants of equal content and weights
 * packed in the same way are there once; since entries run one at a time, and their calls stand one after the other, the
 * arena is shared as well.
 */
export function mergePlans(plans: readonly Plan[]): Plan {
  const [first] = plans as [Plan];
  if (plans.length === 1) return first;
  const merged = new Merger();
  const entries = plans.map((plan) => merged.add(plan));
  return { ...first, ...merged, entries };
}

/** What is common to the plans so far. */
class Merger {
  readonly buffers: Buffer[] = [];
  readonly init: Call[] = [];
  readonly calls: Call[] = [];
  readonly #data = new Map<string, number[]>();
  readonly #packed = new Map<string, number>();

  /** Takes a plan in; `views` of the first one stay true, since its buffers come first. */
  add(plan: Plan): PlanEntry {
    const places = plan.buffers.map((buffer) => (buffer.kind === 'packed' ? -1 : this.#place(buffer)));
    for (const call of plan.init) this.#prepare(plan, call, places);
    const moved = (arg: Arg): Arg => (isRef(arg) ? { ...arg, buffer: places[arg.buffer] as number } : arg);
    const start = this.calls.length;
    for (const call of plan.calls) this.calls.push({ ...call, args: call.args.map(moved) });
    const border = (list: Plan['inputs']): Plan['inputs'] =>
      list.map((b) => ({ ...b, buffer: places[b.buffer] as number }));
    return { start, end: this.calls.length, inputs: border(plan.inputs), outputs: border(plan.outputs) };
  }

  #push(buffer: Buffer): number {
    this.buffers.push(buffer);
    return this.buffers.length - 1;
  }

  /** A buffer of its own, or the constant of the same content. */
  #place(buffer: Buffer): number {
    const { content } = buffer;
    if (!content) return this.#push(buffer);
    const key = `${content.length} ${checksum(content)}`;
    const known = this.#data.get(key) ?? [];
    const twin = known.find((i) => sameBytes(this.buffers[i]?.content as Uint8Array, content));
    if (twin !== undefined) return twin;
    const place = this.#push(buffer);
    this.#data.set(key, [...known, place]);
    return place;
  }

  /** A call of `init`: the weights that it packs, once. Its target is the argument behind the source. */
  #prepare(plan: Plan, call: Call, places: number[]): void {
    const targets = call.args.filter(isRef).map((r) => r.buffer);
    const own = targets.find((i) => places[i] === -1);
    const key = `${kernelKey(call.kernel, call.params)} ${call.args
      .map((arg) => (isRef(arg) ? `${arg.buffer === own ? 'target' : places[arg.buffer]}+${arg.offset}` : arg))
      .join(' ')}`;
    const done = this.#packed.get(key);
    if (own !== undefined && done !== undefined) {
      places[own] = done;
      return;
    }
    if (own !== undefined) {
      places[own] = this.#push(plan.buffers[own] as Buffer);
      this.#packed.set(key, places[own] as number);
    }
    const args = call.args.map((arg) => (isRef(arg) ? { ...arg, buffer: places[arg.buffer] as number } : arg));
    this.init.push({ ...call, args });
  }
}

function checksum(bytes: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

const sameBytes = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && a.every((v, i) => v === b[i]);
