import { type KernelDef, type Storage } from '../kernel.js';

/** Zeroes memory. Arguments: [target], the byte address of the first byte (halo: of the whole padded tensor). */
export type FillParams =
  | { readonly kind: 'all'; readonly bytes: number }
  | {
      /** The border of a padded NHWC tensor: the pixels inside stay as they are. */
      readonly kind: 'halo';
      readonly storage: Storage;
      /** Pixels of the inner image. */
      readonly height: number;
      readonly width: number;
      /** Element strides between pixels and rows of the padded tensor; row >= (left + width + right) * pix. */
      readonly pix: number;
      readonly row: number;
      /** [top, left, bottom, right] in pixels. */
      readonly pads: readonly [number, number, number, number];
    };

export declare const fillKernel: KernelDef<FillParams>;
