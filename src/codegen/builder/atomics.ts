import type { I32, Stmt } from './expr.js';
import type { Binaryen } from './module.js';

/**
 * Instructions on memory that threads share, for FunctionBuilder: all of them sequentially consistent; addresses of words are
 * multiples of 4.
 */
export class SharedWords {
  private readonly m: InstanceType<Binaryen['Module']>;

  constructor(module: InstanceType<Binaryen['Module']>) {
    this.m = module;
  }

  load(ptr: I32): I32 {
    return { type: 'i32', make: () => this.m.i32.atomic.load(0, ptr.make()) };
  }

  /** Adds to a word; gives what it held before. */
  add(ptr: I32, value: I32 | number): I32 {
    const amount = (): number => (typeof value === 'number' ? this.m.i32.const(value) : value.make());
    return { type: 'i32', make: () => this.m.i32.atomic.rmw.add(0, ptr.make(), amount()) };
  }

  increase(ptr: I32, by: number): Stmt {
    return { make: () => this.m.drop(this.add(ptr, by).make()) };
  }

  /** Sleeps until the word is notified, unless it holds something else than `expected`. */
  wait(ptr: I32, expected: I32): Stmt {
    const forever = (): number => this.m.i64.const(-1n);
    return { make: () => this.m.drop(this.m.memory.atomic.wait32(ptr.make(), expected.make(), forever())) };
  }

  /** Wakes all who sleep on a word. */
  notify(ptr: I32): Stmt {
    return { make: () => this.m.drop(this.m.memory.atomic.notify(ptr.make(), this.m.i32.const(-1))) };
  }

  /** Copies a passive segment to memory. */
  copySegment(segment: string, to: I32, bytes: number): Stmt {
    const { i32 } = this.m;
    return { make: () => this.m.memory.init(segment, to.make(), i32.const(0), i32.const(bytes)) };
  }
}
