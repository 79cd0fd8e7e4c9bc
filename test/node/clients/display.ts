import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { deflateSync } from "node:zlib";
import type { Client } from "./client.ts";

// A screen in memory, for clients with windows: Xvfb(1), whose -fbdir has the pixels as a file of xwd(1).

/** Time for a client to show what is waited for. */
const SHOW_MS = 240_000;
const REST_MS = 20_000;
/** Fields of X11/XWDFile.h, big-endian numbers of 4 bytes. */
const [HEADER_BYTES, WIDTH, HEIGHT, BYTES_PER_LINE, COLORS] = [0, 16, 20, 48, 76];
const COLOR_BYTES = 12;

/** Pixels of a screen: blue, green, red and a byte without meaning for each. */
interface Picture {
  readonly width: number;
  readonly height: number;
  readonly lineBytes: number;
  readonly pixels: Buffer;
}

/** A running program on a screen of its own. */
export interface Shown {
  /**
   * Waits until the screen has so many pixels of the blue that the guest paints. Throws with the program's
   * errors if it does not.
   */
  readonly waitForGuest: (count: number) => Promise<void>;
  /** Waits until the screen is not empty, and then for the rest of what the program shows at its start. */
  readonly waitForRest: () => Promise<void>;
  /** Writes the part of the screen that has windows as PNG. */
  readonly write: (path: string) => void;
}

/** A running X server. */
export interface Server {
  /** Value of $DISPLAY. */
  readonly display: string;
  /** Folder with the pixels of its screen. */
  readonly folder: string;
}

/** Starts an X server, and ends it after `work`. */
export async function withServer(client: Client, work: (server: Server) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(client.folder, "screen-"));
  const screen = ["-screen", "0", "1024x768x24", "-fbdir", folder];
  const server = Bun.spawn(["Xvfb", "-displayfd", "1", ...screen, "-nolisten", "tcp", "-nocursor"], {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "ignore",
  });
  try {
    const first = await server.stdout.getReader().read();
    await work({ display: `:${new TextDecoder().decode(first.value).trim()}`, folder });
  } finally {
    server.kill();
    await server.exited;
    rmSync(folder, { recursive: true });
  }
}

/** Runs a program of the machine on a new screen, and ends it after `work`. */
export async function withDisplay(
  client: Client,
  words: readonly string[],
  work: (shown: Shown) => Promise<void>,
): Promise<void> {
  await withServer(client, async ({ display, folder }) => {
    const log = join(folder, "log");
    const program = Bun.spawn(["timeout", "-k", "1", "600", ...words], {
      cwd: folder,
      env: { ...client.env, DISPLAY: display, GDK_BACKEND: "x11", NO_AT_BRIDGE: "1" },
      stdin: "ignore",
      stdout: "ignore",
      stderr: Bun.file(log),
    });
    try {
      const read = (): Picture => readScreen(readFileSync(join(folder, "Xvfb_screen0")));
      const waitFor = async (isThere: (picture: Picture) => boolean): Promise<void> => {
        const deadline = performance.now() + SHOW_MS;
        while (!isThere(read())) {
          if (performance.now() > deadline || program.exitCode !== null)
            throw new Error(`${words.join(" ")} does not show it: ${readFileSync(log, "utf8")}`);
          await Bun.sleep(500);
        }
      };
      await work({
        waitForGuest: (count) => waitFor((picture) => countGuest(picture) >= count),
        waitForRest: async () => {
          await waitFor(({ pixels }) => pixels.some((byte) => byte !== 0));
          await Bun.sleep(REST_MS);
        },
        write: (path) => writeFileSync(path, encodePng(cropped(read()))),
      });
    } finally {
      program.kill();
      await program.exited;
    }
  });
}

/** Returns the part from the upper left corner that is not black. */
function cropped(picture: Picture): Picture {
  const { height, lineBytes, pixels, width } = picture;
  let [right, bottom] = [1, 1];
  for (let y = 0; y < height; y += 1)
    for (let x = 0; x < width; x += 1)
      if (pixels.readUInt32LE(y * lineBytes + x * 4) % 0x1000000 !== 0)
        [right, bottom] = [Math.max(right, x + 1), y + 1];
  return { ...picture, width: right, height: bottom };
}

function readScreen(file: Buffer): Picture {
  const at = file.readUInt32BE(HEADER_BYTES) + file.readUInt32BE(COLORS) * COLOR_BYTES;
  return {
    width: file.readUInt32BE(WIDTH),
    height: file.readUInt32BE(HEIGHT),
    lineBytes: file.readUInt32BE(BYTES_PER_LINE),
    pixels: file.subarray(at),
  };
}

/**
 * Returns the number of pixels with the dark blue of VGA's text screen, #0000a8, or #0000aa after a
 * conversion.
 */
function countGuest({ height, lineBytes, pixels }: Picture): number {
  let count = 0;
  for (let at = 0; at < height * lineBytes; at += 4) {
    const blue = pixels[at] ?? 0;
    if (blue >= 0xa6 && blue <= 0xac && pixels[at + 1] === 0 && pixels[at + 2] === 0) count += 1;
  }
  return count;
}

/** Returns a PNG with 8 bits of each of red, green and blue. https://www.w3.org/TR/png-3/ */
function encodePng({ height, lineBytes, pixels, width }: Picture): Buffer {
  const lines = Buffer.alloc(height * (1 + width * 3));
  for (let y = 0; y < height; y += 1)
    for (let x = 0; x < width; x += 1)
      for (let color = 0; color < 3; color += 1)
        lines[y * (1 + width * 3) + 1 + x * 3 + color] = pixels[y * lineBytes + x * 4 + 2 - color] ?? 0;
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 2], 8);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  const data = deflateSync(lines, { level: 9 });
  return Buffer.concat([signature, chunk("IHDR", head), chunk("IDAT", data), chunk("IEND", Buffer.alloc(0))]);
}

function chunk(type: string, data: Buffer): Buffer {
  const [size, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  const body = Buffer.concat([Buffer.from(type), data]);
  size.writeUInt32BE(data.length);
  sum.writeUInt32BE(Bun.hash.crc32(body));
  return Buffer.concat([size, body, sum]);
}
