import { test } from 'uvu';
import { eliminateDead } from '../../src/passes/eliminate-dead.js';
import { goldenTests } from '../support/passes.js';

goldenTests('eliminate-dead', [eliminateDead], 'exact');

test.run();
