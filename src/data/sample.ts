import type { Tensor } from '../ir/tensor.js';
import type { Pixels } from './image/pixels.js';

/** A tensor of a sample with the name of the input that it is for, where the file says so. */
export interface SampleTensor {
  readonly name: string | null;
  readonly tensor: Tensor;
}

/** One item of a data set: what one run of a network with batch size 1 takes. */
export interface Sample {
  /** Position in the source, from 0; stable whatever part of the source is read. */
  readonly index: number;
  /** Name for people: the file, and the number inside of it where it holds several. */
  readonly name: string;
  /** One tensor per input, with a first dimension of 1 where the network has a batch dimension there. */
  readonly tensors: readonly SampleTensor[];
  /** The class that the data set gives. */
  readonly label?: number;
  /** Other things to compare outputs with: a mask, or the outputs of a reference. */
  readonly targets?: readonly SampleTensor[];
}

/** A sample that could not be read. */
export interface BadSample {
  readonly index: number;
  readonly name: string;
  readonly reason: string;
}

/** Samples in a fixed order. Reading is streamed: one sample is in memory at a time. */
export interface SampleSource {
  /** How many samples there are, unreadable ones included. */
  readonly length: number;
  /** What is read and how, for reports. */
  readonly description: string;
  /** The picture that a sample was made from, for reports. */
  picture?(index: number): Promise<Pixels>;
  /** What is known of the samples without reading them. */
  label?(index: number): number | undefined;
  /** The samples `from` to `to` (exclusive), in order; unreadable ones are left out where the source was opened so. */
  samples(from?: number, to?: number): AsyncIterable<Sample>;
}

/** What a source has to know of a network's input to make samples for it. */
export interface SampleInput {
  readonly name: string;
  readonly dtype: Tensor['type']['dtype'];
  readonly shape: readonly number[];
  /** It takes pictures as they are, RGBA, of at most as many pixels as its shape [height, width, 4] has; or of one size only. */
  readonly image?: { readonly width: number; readonly height: number; readonly resize: 'bilinear' | 'none' };
}
