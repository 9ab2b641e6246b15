/** The playground: hands a dropped model to the worker and shows what comes back. */
import type { Answer, Job, Timed } from './messages.js';

const find = <T extends HTMLElement>(id: string): T => document.getElementById(id) as T;
const status = find('status');
const result = find('result');

let worker: Worker | undefined;
let urls: string[] = [];

const sizeText = (bytes: number): string =>
  bytes < 1e6 ? `${(bytes / 1024).toFixed(1)} KiB` : `${(bytes / 2 ** 20).toFixed(2)} MiB`;
const timeText = (ms: number): string => (ms < 10 ? `${ms.toFixed(3)} ms` : `${ms.toFixed(1)} ms`);

function say(text: string, bad = false): void {
  status.textContent = text;
  status.classList.toggle('bad', bad);
}

/** A URL of a file that lives until the next model. */
function urlOf(data: Uint8Array | string, type: string): string {
  const url = URL.createObjectURL(new Blob([data as BlobPart], { type }));
  urls.push(url);
  return url;
}

function row(timed: Timed, first: Timed): HTMLTableRowElement {
  const line = document.createElement('tr');
  const speed = first.running / timed.running;
  const cells = [
    `${timed.build} (${timed.target})`,
    sizeText(timed.moduleBytes),
    sizeText(timed.memoryBytes),
    timeText(timed.compiling),
    timeText(timed.running),
    timed === first ? '' : `${speed.toFixed(2)} times as fast`,
  ];
  for (const [i, text] of cells.entries()) {
    const cell = line.insertCell();
    cell.textContent = text;
    if (i > 0 && i < 5) cell.className = 'n';
  }
  return line;
}

function show(answer: Extract<Answer, { kind: 'done' }>): void {
  const [first] = answer.times as [Timed];
  find('times')
    .querySelector('tbody')
    ?.replaceChildren(...answer.times.map((timed) => row(timed, first)));
  find('ops').textContent = answer.ops;
  const links = answer.files.map(({ name, data }) => {
    const link = document.createElement('a');
    link.href = urlOf(data, name.endsWith('.wasm') ? 'application/wasm' : 'text/plain');
    link.download = name;
    link.textContent = `${name} (${sizeText(typeof data === 'string' ? data.length : data.length)})`;
    return link;
  });
  find('downloads').replaceChildren(...links);
  find<HTMLIFrameElement>('graphs').src = urlOf(answer.explorer, 'text/html');
  result.hidden = false;
  say('Done. The slider goes through the passes.');
}

async function start(file: File): Promise<void> {
  worker?.terminate();
  for (const url of urls) URL.revokeObjectURL(url);
  urls = [];
  result.hidden = true;
  say(`reading ${file.name}`);
  const job: Job = { name: file.name, bytes: new Uint8Array(await file.arrayBuffer()) };
  worker = new Worker(new URL('worker.js', import.meta.url), { type: 'module' });
  worker.onmessage = ({ data }: MessageEvent<Answer>) => {
    if (data.kind === 'progress') say(data.text);
    else if (data.kind === 'error') say(data.text, true);
    else show(data);
  };
  worker.onerror = (event) => say(`The compiler could not be loaded: ${event.message}`, true);
  worker.postMessage(job, [job.bytes.buffer as ArrayBuffer]);
}

const drop = find('drop');
const given = (files: FileList | null | undefined): void => {
  const [file] = files ?? [];
  if (file) void start(file);
};
find<HTMLInputElement>('file').onchange = (event) => given((event.target as HTMLInputElement).files);
drop.ondragover = (event) => {
  event.preventDefault();
  drop.classList.add('over');
};
drop.ondragleave = () => drop.classList.remove('over');
drop.ondrop = (event) => {
  event.preventDefault();
  drop.classList.remove('over');
  given(event.dataTransfer?.files);
};
