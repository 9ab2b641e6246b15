/** Imported in front of a program: says at its end how much memory it took. */
import { peakMemory } from './memory.js';

process.on('exit', () => console.error(`@memory ${peakMemory()}`));
