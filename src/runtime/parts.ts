import type { ModuleInfo } from './abi.js';
import type { LOADER_TEXTS } from './loader-text.js';

/** A part of the loader as packages know it. */
export interface PartEntry {
  /** The name that its text declares: the file in parts/ in camelCase. */
  readonly name: Exclude<keyof typeof LOADER_TEXTS, 'createLoader'>;
  /** Whether the package of a module has it. */
  readonly needed: (info: ModuleInfo) => boolean;
  /** Declarations, each a list of members with their comments, indented by 4. */
  readonly net?: string;
  readonly loadOptions?: string;
}

/** The parts in the order in which they are asked. This table is the only list of them. */
export const PARTS: readonly PartEntry[] = [];

/** The parts of a package. */
export const partsFor = (info: ModuleInfo): readonly PartEntry[] => PARTS.filter((part) => part.needed(info));
