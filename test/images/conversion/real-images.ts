import fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { convertInto } from "../../../src/host/linux/content/convert-into.ts";
import { writePart } from "../../../src/host/linux/content/write-part.ts";
import { fileFacts } from "../../../src/host/linux/files/file-id.ts";
import { type ConvertedImage, convertImage } from "../../../src/images/conversion/convert-image.ts";

export const qemuImg: string | null = Bun.which("qemu-img");
export const missing: string = qemuImg === null ? " (skipped: qemu-img is missing)" : "";

/** Runs a command, and returns its exit code and output. */
export function run(...words: readonly string[]): { readonly code: number; readonly out: string } {
  const { exitCode, stderr, stdout } = Bun.spawnSync([...words]);
  return { code: exitCode, out: `${stdout}${stderr}` };
}

/** Runs a command that must succeed, and returns its output. */
export function ok(...words: readonly string[]): string {
  const { code, out } = run(...words);
  if (code !== 0 || /error|failed/i.test(out)) throw new Error(`${words.join(" ")}: ${out}`);
  return out;
}

/** Folder with real images. */
export class ImageFolder implements Disposable {
  readonly path = fs.mkdtempSync(join(tmpdir(), "svirt-conversion-"));

  [Symbol.dispose](): void {
    fs.rmSync(this.path, { recursive: true });
  }

  at(name: string): string {
    return join(this.path, name);
  }

  /**
   * Makes an image with qemu-img, by its format and options, of which the last is its size. Changes it with
   * commands of qemu-io.
   */
  make(name: string, words: readonly string[], commands: readonly string[] = []): string {
    const path = this.at(name);
    const [format = "raw", ...options] = words;
    ok("qemu-img", "create", "-q", "-f", format, ...options.slice(0, -1), path, ...options.slice(-1));
    if (commands.length > 0) ok("qemu-io", "-f", format, ...commands.flatMap((text) => ["-c", text]), path);
    return path;
  }

  /** Converts images, the first of which is above the others, with svirt's code. */
  async convert(from: readonly string[], image: ConvertedImage, name = "made"): Promise<string> {
    const path = this.at(name);
    const fd = fs.openSync(path, "w+");
    try {
      if (image.format === "raw") fs.ftruncateSync(fd, image.sizeBytes);
      const ids = from.map((one) => fileFacts(one, fs.statSync(one, { bigint: true })).id);
      await convertInto((part) => writePart(fd, part), {
        from: ids,
        convert: (files) => convertImage(files, image),
      });
      return path;
    } finally {
      fs.closeSync(fd);
    }
  }
}
