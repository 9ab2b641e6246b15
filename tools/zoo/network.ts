/** Networks as plain lists of layers, and the builder that the topologies are written with. */

/** Channels, height, width of an image, or the length of a list; the batch is 1. */
export type Shape = readonly number[];

export type Activation = 'relu' | 'relu6' | null;

/** Zeros in front of and behind the rows and columns: top, left, bottom, right. */
export type Pads = readonly [number, number, number, number];

export interface ConvLayer {
  readonly kind: 'conv';
  readonly name: string;
  readonly inputs: readonly [string];
  /** Filters, channels per group, kernel height and width. */
  readonly weights: readonly [number, number, number, number];
  readonly stride: number;
  readonly pads: Pads;
  readonly groups: number;
  readonly activation: Activation;
  /** Whether the float file has a BatchNormalization in place of a bias. */
  readonly batchNorm: boolean;
  /** Variance that the seeded weights aim at in the result (before the activation). */
  readonly variance: number;
}

export interface AddLayer {
  readonly kind: 'add';
  readonly name: string;
  readonly inputs: readonly [string, string];
  readonly activation: Activation;
}

export interface MaxPoolLayer {
  readonly kind: 'maxpool';
  readonly name: string;
  readonly inputs: readonly [string];
  readonly kernel: number;
  readonly stride: number;
  readonly pads: Pads;
  readonly ceil: boolean;
}

/** The mean over an image, keeping height and width of 1. */
export interface AveragePoolLayer {
  readonly kind: 'avgpool';
  readonly name: string;
  readonly inputs: readonly [string];
}

export interface ConcatLayer {
  readonly kind: 'concat';
  readonly name: string;
  readonly inputs: readonly string[];
}

export interface FlattenLayer {
  readonly kind: 'flatten';
  readonly name: string;
  readonly inputs: readonly [string];
}

export interface FullyConnectedLayer {
  readonly kind: 'fc';
  readonly name: string;
  readonly inputs: readonly [string];
  /** Units, inputs. */
  readonly weights: readonly [number, number];
}

export type Layer =
  | ConvLayer
  | AddLayer
  | MaxPoolLayer
  | AveragePoolLayer
  | ConcatLayer
  | FlattenLayer
  | FullyConnectedLayer;

/** A network: its layers in order, each named like the tensor it makes. The input is called `input`. */
export interface Network {
  readonly name: string;
  readonly layers: readonly Layer[];
  /** The shape of every tensor by name. */
  readonly shapes: Readonly<Record<string, Shape>>;
  readonly output: string;
  /** Multiplications of convolutions and fully connected layers. */
  readonly macs: number;
}

/** What every topology can be scaled by. */
export interface Scale {
  /** Height and width of the input; 224 by default. */
  readonly size?: number;
  /** Factor of all channel counts (rounded to multiples of 8); 1 by default. */
  readonly width?: number;
  /** Outputs of the classifier; 1000 by default. */
  readonly classes?: number;
}

/** A topology: makes the network at a scale. */
export type Topology = (scale?: Scale) => Network;

export interface ConvOptions {
  readonly stride?: number;
  /** `same`: as TensorFlow pads, more behind than in front; a number: that many zeros on every side. */
  readonly pad?: 'same' | number;
  readonly activation?: Activation;
  readonly batchNorm?: boolean;
  readonly variance?: number;
}

const INPUT_CHANNELS = 3;

/** Builds the list of layers; every method adds one and gives the name of its result. */
export class NetworkBuilder {
  readonly input = 'input';
  readonly classes: number;
  private readonly width: number;
  private readonly layers: Layer[] = [];
  private readonly shapes: Record<string, Shape> = {};
  private macs = 0;

  constructor({ size = 224, width = 1, classes = 1000 }: Scale = {}) {
    this.shapes[this.input] = [INPUT_CHANNELS, size, size];
    this.width = width;
    this.classes = classes;
  }

  /** A channel count at the chosen width. */
  channels(full: number): number {
    return Math.max(8, Math.round((full * this.width) / 8) * 8);
  }

  /** The shape of a tensor. */
  shape(name: string): Shape {
    const shape = this.shapes[name];
    if (!shape) throw new Error(`the network has no tensor ${name}`);
    return shape;
  }

  /** A convolution with this many filters, square kernel. */
  conv(x: string, filters: number, kernel: number, options: ConvOptions = {}): string {
    return this.convolution(x, filters, kernel, 1, options);
  }

  /** A depthwise convolution. */
  depthwise(x: string, kernel: number, options: ConvOptions = {}): string {
    const [channels] = this.shape(x) as [number];
    return this.convolution(x, channels, kernel, channels, options);
  }

  add(a: string, b: string, activation: Activation = null): string {
    if (`${this.shape(a)}` !== `${this.shape(b)}`) throw new Error(`${a} and ${b} have different shapes`);
    return this.layer({ kind: 'add', name: this.fresh('add'), inputs: [a, b], activation }, this.shape(a));
  }

  maxPool(x: string, kernel: number, stride: number, options: { pad?: number; ceil?: boolean } = {}): string {
    const { pad = 0, ceil = false } = options;
    const [channels, height, width] = this.shape(x) as [number, number, number];
    const round = ceil ? Math.ceil : Math.floor;
    const size = (n: number): number => round((n + 2 * pad - kernel) / stride) + 1;
    const pads: Pads = [pad, pad, pad, pad];
    const layer: Layer = { kind: 'maxpool', name: this.fresh('maxpool'), inputs: [x], kernel, stride, pads, ceil };
    return this.layer(layer, [channels, size(height), size(width)]);
  }

  globalAveragePool(x: string): string {
    const [channels] = this.shape(x) as [number];
    return this.layer({ kind: 'avgpool', name: this.fresh('avgpool'), inputs: [x] }, [channels, 1, 1]);
  }

  concat(inputs: readonly string[]): string {
    const [, ...rest] = this.shape(inputs[0] as string);
    const channels = inputs.reduce((sum, x) => sum + (this.shape(x)[0] as number), 0);
    return this.layer({ kind: 'concat', name: this.fresh('concat'), inputs }, [channels, ...rest]);
  }

  flatten(x: string): string {
    const size = this.shape(x).reduce((a, b) => a * b, 1);
    return this.layer({ kind: 'flatten', name: this.fresh('flatten'), inputs: [x] }, [size]);
  }

  fullyConnected(x: string, units: number): string {
    const [inputs] = this.shape(x) as [number];
    this.macs += units * inputs;
    return this.layer({ kind: 'fc', name: this.fresh('fc'), inputs: [x], weights: [units, inputs] }, [units]);
  }

  /** Mean over the image and a fully connected layer: how most classifiers end. */
  classifier(x: string): string {
    return this.fullyConnected(this.flatten(this.globalAveragePool(x)), this.classes);
  }

  done(name: string, output: string): Network {
    return { name, layers: this.layers, shapes: this.shapes, output, macs: this.macs };
  }

  private convolution(x: string, filters: number, kernel: number, groups: number, options: ConvOptions): string {
    const { stride = 1, pad = 'same', activation = null, batchNorm = true, variance = 1 } = options;
    const [channels, height, width] = this.shape(x) as [number, number, number];
    const [top, bottom] = padding(height, kernel, stride, pad);
    const [left, right] = padding(width, kernel, stride, pad);
    const rows = Math.floor((height + top + bottom - kernel) / stride) + 1;
    const columns = Math.floor((width + left + right - kernel) / stride) + 1;
    const weights = [filters, channels / groups, kernel, kernel] as const;
    this.macs += rows * columns * weights.reduce((a, b) => a * b, 1);
    const name = this.fresh(groups > 1 ? 'depthwise' : 'conv');
    const pads: Pads = [top, left, bottom, right];
    const shared = { stride, pads, groups, activation, batchNorm, variance };
    return this.layer({ kind: 'conv', name, inputs: [x], weights, ...shared }, [filters, rows, columns]);
  }

  private fresh(kind: string): string {
    return `${kind}_${this.layers.length}`;
  }

  private layer(layer: Layer, shape: Shape): string {
    this.layers.push(layer);
    this.shapes[layer.name] = shape;
    return layer.name;
  }
}

/** Zeros in front of and behind one dimension. */
function padding(size: number, kernel: number, stride: number, pad: 'same' | number): [number, number] {
  if (pad !== 'same') return [pad, pad];
  const total = Math.max(0, (Math.ceil(size / stride) - 1) * stride + kernel - size);
  return [total >> 1, total - (total >> 1)];
}
