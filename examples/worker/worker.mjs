import { load } from './out/digits.mjs';
import module from './out/digits.wasm';

// Workers may not compile bytes at run time, so the platform hands over the compiled module.
const ready = load(module);

/** POST RGBA bytes to /?width=140&height=140, get the best classes as JSON. */
export default {
  async fetch(request) {
    if (request.method !== 'POST') return new Response('POST RGBA bytes', { status: 405 });
    const { searchParams } = new URL(request.url);
    const [width, height] = ['width', 'height'].map((name) => Number(searchParams.get(name)));
    const data = new Uint8Array(await request.arrayBuffer());
    try {
      return Response.json((await ready).classify({ data, width, height }, { topK: 3 }));
    } catch (error) {
      return new Response(error.message, { status: 400 });
    }
  },
};
