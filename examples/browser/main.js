import { load } from './out/digits.mjs';

const find = (id) => document.getElementById(id);
const canvas = find('canvas');
const context = canvas.getContext('2d', { willReadFrequently: true });
const net = await load();
find('status').textContent = `loaded, ${Math.round(net.memoryBytes / 1024)} KiB of memory`;

/** Draws the middle of a picture, classifies the canvas, and shows the best classes. */
function classify(source, width, height) {
  const side = Math.min(width, height);
  const { width: to } = canvas;
  context.drawImage(source, (width - side) / 2, (height - side) / 2, side, side, 0, 0, to, to);
  const start = performance.now();
  const classes = net.classify(context.getImageData(0, 0, to, to), { topK: 3 });
  const items = classes.map(({ label, score }) => {
    const item = document.createElement('li');
    item.textContent = `${label} ${score.toFixed(2)}`;
    return item;
  });
  find('classes').replaceChildren(...items);
  find('status').textContent = `${(performance.now() - start).toFixed(1)} ms`;
}

find('file').onchange = async ({ target }) => {
  const picture = await createImageBitmap(target.files[0]);
  classify(picture, picture.width, picture.height);
};

find('camera').onclick = async () => {
  const video = document.createElement('video');
  try {
    video.srcObject = await navigator.mediaDevices.getUserMedia({ video: true });
  } catch (error) {
    find('status').textContent = `no webcam: ${error.message}`;
    return;
  }
  await video.play();
  const frame = () => {
    classify(video, video.videoWidth, video.videoHeight);
    requestAnimationFrame(frame);
  };
  frame();
};
