import type { Local, Stmt } from '../builder/expr.js';
import type { FunctionBuilder } from '../builder/function.js';

/** The three nested loops of a kernel, outermost first. */
export type Level = 0 | 1 | 2;

interface Pointer {
  readonly at: readonly [Local<'i32'>, Local<'i32'>, Local<'i32'>];
  readonly steps: readonly [number, number, number];
}

/**
 * Pointers that move together through three nested loops. A loop works on copies of the pointers of the loop
 * around it, so that leaving a loop leaves the outer pointers where they were.
 */
export class Walk {
  private readonly f: FunctionBuilder;
  private readonly pointers: Pointer[] = [];

  constructor(f: FunctionBuilder) {
    this.f = f;
  }

  /**
   * Adds a pointer that starts at parameter `start` and moves `steps` bytes per iteration of each loop. Returns the
   * pointer of each loop.
   */
  add(
    start: Local<'i32'>,
    steps: readonly [number, number, number],
  ): readonly [Local<'i32'>, Local<'i32'>, Local<'i32'>] {
    const [, middle, inner] = steps;
    const first = middle === 0 && inner === 0 ? start : this.f.local('i32');
    const second = inner === 0 ? first : this.f.local('i32');
    const pointer: Pointer = { at: [start, first, second], steps };
    this.pointers.push(pointer);
    return pointer.at;
  }

  /** The copies that a loop starts with. */
  enter(level: 1 | 2): Stmt[] {
    return this.pointers.flatMap(({ at }) =>
      at[level] === at[level - 1] ? [] : [at[level].set(at[level - 1] as Local<'i32'>)],
    );
  }

  /** Moves the pointers of a loop by `count` iterations. */
  step(level: Level, count = 1): Stmt[] {
    return this.pointers.flatMap(({ at, steps }) =>
      steps[level] === 0 ? [] : [this.f.advance(at[level], steps[level] * count)],
    );
  }
}
