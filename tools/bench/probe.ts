export { probeModule } from '../../src/probe-module.js';
