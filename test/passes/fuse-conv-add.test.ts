import { test } from 'uvu';
import { fuseConvAdd } from '../../src/passes/fuse-conv-add.js';
import { goldenTests } from '../support/passes.js';

goldenTests('fuse-conv-add', [fuseConvAdd], 'close');

test.run();
