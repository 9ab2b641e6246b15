import { test } from 'uvu';
import { quantizePlacement } from '../../src/passes/quantize-placement.js';
import { goldenTests } from '../support/passes.js';

goldenTests('quantize-placement', [quantizePlacement], 'exact');

test.run();
