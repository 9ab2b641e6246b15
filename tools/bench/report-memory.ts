/** Imported in front of a program: says at its end how much memory it took. */
import { peakMemory } from '../../src/host/bench/memory.js';

process.on('exit', () => console.error(`@memory ${peakMemory() / (1 << 20)}`));
