import { test } from 'uvu';
import { collectScales } from '../../src/passes/collect-scales.js';
import { goldenTests } from '../support/passes.js';

goldenTests('collect-scales', [collectScales], 'exact');

test.run();
