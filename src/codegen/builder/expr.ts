/** Types of values that kernels compute with. */
export type WasmType = 'i32' | 'i64' | 'f32' | 'v128';

/**
 * A recipe for an expression. Binaryen's IR is a tree, and a handle used twice breaks it, so a recipe makes a
 * fresh tree on every use: writing the same `Expr` in two places computes it twice. Keep results in locals.
 */
export interface Expr<T extends WasmType = WasmType> {
  readonly type: T;
  readonly make: () => number;
}

/** A recipe for a statement. */
export interface Stmt {
  readonly make: () => number;
}

/** A local variable: reading it is an expression. */
export interface Local<T extends WasmType = WasmType> extends Expr<T> {
  set(value: Expr<T>): Stmt;
  tee(value: Expr<T>): Expr<T>;
}

/** Expressions by type; addresses and integers are i32. */
export type I32 = Expr<'i32'>;
export type I64 = Expr<'i64'>;
export type F32 = Expr<'f32'>;
export type V128 = Expr<'v128'>;
