import { STORAGE_BYTES, type Storage } from '../kernel.js';
import type { GemmParams } from './gemm.js';

/**
 * How a matrix product multiplies: reals; codes as pairs of i16, widened first where they are stored as i8; four i8 at a
 * time with relaxed SIMD.
 */
export type GemmArithmetic = 'f32' | 'i16' | 'i8' | 'relaxed';

/** The arithmetic of a storage and an instruction set. */
export const gemmArithmetic = ({ storage, isa }: Pick<GemmParams, 'storage' | 'isa'>): GemmArithmetic =>
  isa === 'relaxed' ? 'relaxed' : storage;

/** How packed weights are stored: as what they are multiplied with. */
export const weightStorage = (p: Pick<GemmParams, 'storage' | 'isa'>): Storage =>
  p.storage === 'f32' ? 'f32' : p.isa === 'relaxed' ? 'i8' : 'i16';

/** Contiguous k per step of the K loop: the weights of one column in a step are 4 bytes. */
export const kPerStep = (p: Pick<GemmParams, 'storage' | 'isa'>): number => 4 / STORAGE_BYTES[weightStorage(p)];

/** Steps of the K loop per segment. */
export const stepsPerSegment = (p: Pick<GemmParams, 'storage' | 'isa' | 'taps'>): number =>
  Math.ceil(p.taps.length / kPerStep(p));

/** Whether products are added in int16 over several steps: then there is a table of extra steps (gemm-groups.ts). */
export const isGrouped = (p: Pick<GemmParams, 'tile'>): boolean => (p.tile.group ?? 1) > 1;
