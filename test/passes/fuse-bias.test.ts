import { test } from 'uvu';
import { fuseBias } from '../../src/passes/fuse-bias.js';
import { goldenTests } from '../support/passes.js';

goldenTests('fuse-bias', [fuseBias], 'close');

test.run();
