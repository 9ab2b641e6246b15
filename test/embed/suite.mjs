/**
 * Runs in every engine: loads packages, runs them on given inputs, and gives the SHA-256 of each output. It uses only
 * what all engines have.
 */

const ARRAYS = {
  f32: Float32Array,
  i8: Int8Array,
  u8: Uint8Array,
  i32: Int32Array,
  i64: BigInt64Array,
  bool: Uint8Array,
};

const decode = (base64) => Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));

async function sha256(view) {
  const digest = await crypto.subtle.digest('SHA-256', view);
  return Array.from(new Uint8Array(digest), (b) => b.toString(16).padStart(2, '0')).join('');
}

/** Digests of the outputs of one package on its sets of inputs, then of all sets as one batch. */
async function runPackage({ load }, sets, source) {
  const net = await load(source);
  const feeds = sets.map((set) =>
    Object.fromEntries(net.inputs.map(({ name, dtype }) => [name, new ARRAYS[dtype](decode(set[name]).buffer)])),
  );
  const batch = Object.fromEntries(
    net.inputs.map(({ name, dtype }) => {
      const all = new ARRAYS[dtype](feeds.reduce((n, feed) => n + feed[name].length, 0));
      let at = 0;
      for (const feed of feeds) {
        all.set(feed[name], at);
        at += feed[name].length;
      }
      return [name, all];
    }),
  );
  const digests = [];
  for (const feed of [...feeds, batch]) {
    const outputs = net.run(feed);
    for (const { name } of net.outputs) digests.push(await sha256(outputs[name]));
  }
  net.free();
  return digests;
}

/**
 * `packages` and `sources` by the name of a package, `cases` as `[{ name, packages: [...], sets }]`. An error becomes the
 * result of its package.
 */
export async function run(packages, cases, sources = {}) {
  const results = {};
  for (const { packages: names, sets } of cases)
    for (const name of names)
      try {
        results[name] = await runPackage(packages[name], sets, sources[name]);
      } catch (error) {
        results[name] = String(error?.stack ?? error);
      }
  return results;
}
