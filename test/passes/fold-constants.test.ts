import { test } from 'uvu';
import { foldConstants } from '../../src/passes/fold-constants.js';
import { goldenTests } from '../support/passes.js';

goldenTests('fold-constants', [foldConstants], 'exact');

test.run();
