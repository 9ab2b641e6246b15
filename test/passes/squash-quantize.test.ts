import { test } from 'uvu';
import { squashQuantize } from '../../src/passes/squash-quantize.js';
import { goldenTests } from '../support/passes.js';

goldenTests('squash-quantize', [squashQuantize], 'exact');

test.run();
