import type { Topology } from '../network.js';
import { efficientnetLite0 } from './efficientnet_lite0.js';
import { mobilenetV1 } from './mobilenet_v1.js';
import { mobilenetV2 } from './mobilenet_v2.js';
import { resnet50 } from './resnet50.js';
import { squeezenet1_1 } from './squeezenet1_1.js';

/** All topologies by the names of their files. */
export const TOPOLOGIES: Readonly<Record<string, Topology>> = {
  mobilenet_v1: mobilenetV1,
  mobilenet_v2: mobilenetV2,
  resnet50,
  squeezenet1_1,
  efficientnet_lite0: efficientnetLite0,
};
