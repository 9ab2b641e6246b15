// The part of sharp that is used: the package is optional, so its own types may be missing where this is compiled.

interface Image {
  rotate(): Image;
  removeAlpha(): Image;
  toColourspace(space: 'srgb'): Image;
  raw(): Image;
  toBuffer(options: { resolveWithObject: true }): Promise<{
    readonly data: Uint8Array;
    readonly info: { readonly width: number; readonly height: number; readonly channels: number };
  }>;
}

/** What the module sharp exports by default. */
export interface Sharp {
  (input: Uint8Array, options: { failOn: 'truncated'; limitInputPixels: number }): Image;
  readonly versions: { readonly vips: string; readonly sharp?: string };
}
