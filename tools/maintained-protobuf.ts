import { createRequire } from 'node:module';
import type { Plugin } from 'esbuild';

const require = createRequire(import.meta.url);

/** Resolves protobufjs to this repo's own copy, wherever it is imported from: onnx-proto asks for one with open advisories. */
export const maintainedProtobuf: Plugin = {
  name: 'maintained-protobuf',
  setup(build) {
    build.onResolve({ filter: /^protobufjs(\/|$)/ }, (args) => ({ path: require.resolve(args.path) }));
  },
};
