import type { Rounding } from '../../ir/type.js';
import { assert, unreachable } from '../../support/errors.js';
import type { Stmt, V128 } from '../builder/expr.js';
import type { FunctionBuilder } from '../builder/function.js';
import { holdsCodes, STORAGE_BYTES, type Storage } from '../kernel.js';
import { emitActivation } from './activation.js';
import { loadCode, storeCode } from './codes.js';
import {
  at,
  type CodeStream,
  codeRounder,
  halves,
  isCodeStream,
  loadCodes,
  loadReals,
  type Stream,
  storeCodes,
  storeReals,
  storeRounded,
} from './lanes.js';
import type { MapOp, UnaryFunction } from './map.js';
import { type Computed, emitErf, emitExp, emitLog, emitSoftplus } from './math.js';
import { emitFurtherUnary, isFurtherUnary } from './unary-functions.js';

/** Work on `count` elements at the streams; `setup` runs once per call of the kernel. */
export interface Step {
  readonly setup: readonly Stmt[];
  readonly emit: (source: Stream, target: Stream, count: number) => readonly Stmt[];
}

/** Codes to codes without arithmetic on reals. */
function codeStep(f: FunctionBuilder, transform: (codes: V128) => V128, setup: readonly Stmt[] = []): Step {
  return {
    setup,
    emit: (s, t, count) => storeCodes(f, codesOf(t), transform(loadCodes(f, codesOf(s), count)), count),
  };
}

function codesOf(s: Stream): CodeStream {
  assert(isCodeStream(s), 'a map of codes has codes on both sides');
  return s;
}

/** Anything to reals. */
function realStep(f: FunctionBuilder, transform: (x: V128) => Computed, setup: readonly Stmt[] = []): Step {
  const result = f.local('v128');
  return {
    setup,
    emit: (s, t, count) =>
      halves(count).flatMap(({ half, part }) => {
        const { setup: before, value } = transform(loadReals(f, s, half, part));
        return [...before, result.set(value), ...storeReals(f, t, result, half, part)];
      }),
  };
}

/** Anything to codes: scaled, rounded and clamped. The op arguments are the factor and the bounds. */
function roundStep(f: FunctionBuilder, rounding: Rounding, how: 'div' | 'mul'): Step {
  const factor = f.local('v128');
  const codes = codeRounder(f, rounding, f.param(3, 'i32'), f.param(4, 'i32'));
  const values = f.vectors(2);
  return {
    setup: [factor.set(f.splat('f32x4', f.param(2, 'f32'))), ...codes.setup],
    emit: (s, t, count) => {
      const used = halves(count);
      const scaled = used.map(({ half, part }) =>
        values[half]!.set(f.op('f32x4', how, loadReals(f, s, half, part), factor)),
      );
      return [...scaled, ...storeRounded(f, codes, t, values.slice(0, used.length), count)];
    },
  };
}

function clampStep(f: FunctionBuilder): Step {
  const lo = f.local('v128');
  const hi = f.local('v128');
  return codeStep(f, (codes) => f.op('i16x8', 'min_s', f.op('i16x8', 'max_s', codes, lo), hi), [
    lo.set(f.splat('i16x8', f.param(2, 'i32'))),
    hi.set(f.splat('i16x8', f.param(3, 'i32'))),
  ]);
}

function tableStep(f: FunctionBuilder): Step {
  const base = f.param(2, 'i32');
  return {
    setup: [base.set(f.add(base, f.shl(f.param(3, 'i32'), 1)))],
    emit: (s, t, count) =>
      Array.from({ length: count }, (_, i) => {
        const place = (stream: Stream) => at(f, stream.ptr, STORAGE_BYTES[stream.storage] * i * stream.stride);
        const code = loadCode(f, codesOf(s).storage, ...place(s));
        const [ptr, offset] = place(t);
        return storeCode(f, codesOf(t).storage, ptr, f.loadI16(f.add(base, f.shl(code, 1))), offset);
      }),
  };
}

const plain = (value: V128): Computed => ({ setup: [], value });

function emitUnary(f: FunctionBuilder, fn: UnaryFunction, x: V128): Computed {
  if (isFurtherUnary(fn)) return emitFurtherUnary(f, fn, x);
  switch (fn) {
    case 'exp':
      return emitExp(f, x);
    case 'log':
      return emitLog(f, x);
    case 'erf':
      return emitErf(f, x);
    case 'softplus':
      return emitSoftplus(f, x);
    case 'reciprocal':
      return plain(f.op('f32x4', 'div', f.splatF32(1), x));
    case 'square': {
      const kept = f.local('v128');
      return { setup: [kept.set(x)], value: f.op('f32x4', 'mul', kept, kept) };
    }
    default:
      return plain(f.unary('f32x4', fn === 'round' ? 'nearest' : fn, x));
  }
}

/** The emitter of an op to a storage; its arguments are the parameters from 2 on. */
export function stepOf(f: FunctionBuilder, op: MapOp, to: Storage): Step {
  switch (op.kind) {
    case 'copy':
      return holdsCodes(to) ? codeStep(f, (codes) => codes) : realStep(f, plain);
    case 'quantize':
      return roundStep(f, op.rounding, 'div');
    case 'requantize':
      return roundStep(f, op.rounding, 'mul');
    case 'dequantize': {
      const scale = f.local('v128');
      const setup = [scale.set(f.splat('f32x4', f.param(2, 'f32')))];
      return realStep(f, (x) => plain(f.op('f32x4', 'mul', x, scale)), setup);
    }
    case 'clamp':
      return clampStep(f);
    case 'table':
      return tableStep(f);
    case 'activation':
      return realStep(f, (x) => emitActivation(f, op.activation, x));
    case 'unary':
      return realStep(f, (x) => emitUnary(f, op.fn, x));
    default:
      return unreachable(op);
  }
}
