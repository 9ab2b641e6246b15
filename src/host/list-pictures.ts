import { existsSync, readdirSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { type ListedFile, parseLabelList } from '../data/label-list.js';
import { readFile } from './files.js';

/** Names of files that hold pictures. */
export const PICTURE_FILES = /\.(jpe?g|png|webp|gif|bmp|tiff?|avif|heic|jfif)$/i;

/** Whether a path is a folder. */
export const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;

const bytewise = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

/**
 * All files below a folder whose names match, as paths with the folder, in bytewise order. A folder with a matching
 * name is given too and not looked into: whoever reads it says that it is one.
 */
export function findFiles(folder: string, pattern: RegExp): string[] {
  const walk = (path: string): string[] =>
    readdirSync(path, { withFileTypes: true }).flatMap((entry) => {
      const child = join(path, entry.name);
      if (pattern.test(entry.name)) return [relative(folder, child)];
      return entry.isDirectory() ? walk(child) : [];
    });
  return walk(folder)
    .sort(bytewise)
    .map((name) => join(folder, name));
}

/** A picture of a list: where it is, and what the list calls it. */
export interface ListedPicture extends ListedFile {
  readonly name: string;
}

/** The pictures that a list file names: their paths are below the data's folder, below `val` there, or beside the list. */
export function listedPictures(list: string, folder: string): ListedPicture[] {
  const text = new TextDecoder().decode(readFile(list));
  const places = [folder, join(folder, 'val'), dirname(list)];
  return parseLabelList(text, list).map(({ path: name, label }) => {
    const found = places.map((place) => join(place, name)).find((candidate) => existsSync(candidate));
    return { name, path: found ?? join(folder, name), ...(label === undefined ? {} : { label }) };
  });
}

/** The list of a folder: the file named, which may lie in it, or val_list.txt there, as the scripts for ImageNet have it. */
export function listFileOf(folder: string, named: string | undefined): string | undefined {
  const inside = join(folder, named ?? '');
  if (named !== undefined) return !existsSync(named) && existsSync(inside) ? inside : named;
  const usual = join(folder, 'val_list.txt');
  return existsSync(usual) ? usual : undefined;
}
