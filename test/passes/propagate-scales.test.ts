import { test } from 'uvu';
import { propagateScales } from '../../src/passes/propagate-scales.js';
import { goldenTests } from '../support/passes.js';

goldenTests('propagate-scales', [propagateScales], 'exact');

test.run();
