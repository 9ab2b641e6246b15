import { test } from 'uvu';
import { foldBatchNorm } from '../../src/passes/fold-batch-norm.js';
import { goldenTests } from '../support/passes.js';

goldenTests('fold-batch-norm', [foldBatchNorm], 'close');

test.run();
