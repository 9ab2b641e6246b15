import type { PaddleAttrs } from '../../ops/import-context.js';
import { modelError } from '../../support/errors.js';
import { quoted } from '../names.js';
import { Unsupported } from '../unsupported.js';
import { type AttrDesc, AttrType, type OpDesc } from './proto.js';

/** The attributes of an op. Getters throw a model error if one has another type, or is absent without a fallback. */
export function paddleAttrs({ attrs }: OpDesc): PaddleAttrs {
  const get = (name: string): AttrDesc | undefined => {
    const found = attrs.get(name);
    if (found && (found.type === AttrType.VAR || found.type === AttrType.VARS))
      throw new Unsupported(`attribute ${quoted(name)} is a variable`);
    return found;
  };
  const orElse = <T>(value: T | undefined, name: string, fallback: T | undefined): T => {
    if (value !== undefined) return value;
    if (fallback !== undefined) return fallback;
    throw modelError(`attribute ${quoted(name)} is missing`);
  };
  const one = (name: string): number | undefined => {
    const found = get(name);
    if (found && found.numbers.length !== 1) throw modelError(`attribute ${quoted(name)} is not a number`);
    return found?.numbers[0];
  };
  const list = (name: string): number[] | undefined => {
    const found = get(name);
    if (found && found.strings.length > 0) throw modelError(`attribute ${quoted(name)} is not a list of numbers`);
    return found && [...found.numbers];
  };
  const whole = (name: string, values: readonly number[]): void => {
    if (!values.every(Number.isSafeInteger)) throw modelError(`attribute ${quoted(name)} is not integer`);
  };
  return {
    has: (name) => attrs.has(name),
    int(name, fallback) {
      const value = orElse(one(name), name, fallback);
      whole(name, [value]);
      return value;
    },
    float: (name, fallback) => orElse(one(name), name, fallback),
    bool: (name, fallback) => orElse(one(name), name, fallback === undefined ? undefined : Number(fallback)) !== 0,
    string(name, fallback) {
      const found = get(name);
      if (found && found.strings.length !== 1) throw modelError(`attribute ${quoted(name)} is not a text`);
      return orElse(found?.strings[0], name, fallback);
    },
    ints(name, fallback) {
      const values = [...orElse(list(name), name, fallback)];
      whole(name, values);
      return values;
    },
    floats: (name, fallback) => [...orElse(list(name), name, fallback)],
  };
}
