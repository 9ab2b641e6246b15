import { test } from 'uvu';
import { fuseActivation } from '../../src/passes/fuse-activation.js';
import { goldenTests } from '../support/passes.js';

goldenTests('fuse-activation', [fuseActivation], 'exact');

test.run();
