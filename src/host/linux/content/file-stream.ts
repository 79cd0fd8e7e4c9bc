import { closeSync, constants, fstatSync, ftruncateSync, read, write } from "node:fs";
import { SvirtError } from "../../../errors.ts";
import type { FileId } from "../../../plan/facts/file.ts";
import type { DataStream, Piece } from "../../channels.ts";
import type { FilePart } from "../../new-file.ts";
import { openSame } from "../files/file-id.ts";
import { failedCall, orReject, orThrow } from "../files/files.ts";
import { listData, openedSize } from "./extents.ts";
import { keepLock } from "./image-lock.ts";
import { openLockedImage } from "./locked-image.ts";
import { clearPart } from "./resize-file.ts";
import { syncFile } from "./sync-data.ts";

/** Part of a hole made by a call; other work goes on between calls. */
const CLEARED_BYTES = 64 * 1024 * 1024;

/** Implements Host.openSource. */
export function openSource(file: FileId, part: FilePart): DataStream {
  return orThrow(`read ${file.path}`, () => {
    const fd = openSame(file, constants.O_RDONLY);
    try {
      return new Source(new OpenFile(fd, file.path), part);
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  });
}

/** Implements Host.openSink. */
export async function openSink(file: FileId, part: FilePart): Promise<DataStream> {
  const fd = await openLockedImage(file);
  return new Sink(new OpenFile(fd, file.path, keepLock(fd)), part);
}

type Done = (error: Error | null, count?: number) => void;

/** Open file with calls on threads of bun. It is closed once no call uses it. */
class OpenFile {
  readonly fd: number;
  readonly path: string;
  isClosed = false;
  readonly #onClose: () => void;
  #last: Promise<unknown> = Promise.resolve();

  constructor(fd: number, path: string, onClose = (): void => undefined) {
    this.fd = fd;
    this.path = path;
    this.#onClose = onClose;
  }

  /** Returns the count of a call; 0 if the file is closed. Throws "host-call". */
  async call(verb: string, start: (done: Done) => void): Promise<number> {
    if (this.isClosed) return 0;
    const work = new Promise<number>((resolve, reject) =>
      start((error, count = 0) =>
        error === null || error === undefined
          ? resolve(count)
          : reject(failedCall(`${verb} ${this.path}`, error)),
      ),
    );
    this.#last = work;
    return await work;
  }

  /** Does longer work of this thread with the open file, which close() waits for. Throws as orThrow(). */
  async during(verb: string, work: () => Promise<void>): Promise<void> {
    if (this.isClosed) return;
    const done = orReject(`${verb} ${this.path}`, work);
    this.#last = done;
    await done;
  }

  async close(): Promise<void> {
    if (this.isClosed) return;
    this.isClosed = true;
    await Promise.allSettled([this.#last]);
    this.#onClose();
    closeSync(this.fd);
  }
}

class Source implements DataStream {
  readonly #file: OpenFile;
  readonly #isSparse: boolean;
  readonly #end: number;
  #at: number;
  /** End of the data around the place. */
  #dataEnd: number;

  constructor(file: OpenFile, { isSparse, mostBytes, offset }: FilePart) {
    const sizeBytes = openedSize(file.fd);
    this.#file = file;
    this.#isSparse = isSparse;
    this.#at = offset;
    this.#end = Math.min(sizeBytes, offset + (mostBytes ?? sizeBytes));
    this.#dataEnd = isSparse ? offset : this.#end;
  }

  async next(mostBytes: number): Promise<Piece | undefined> {
    if (this.#file.isClosed || this.#at >= this.#end) return undefined;
    const holeBytes = this.#skipHole();
    if (holeBytes > 0) return { holeBytes };
    const { fd } = this.#file;
    const bytes = new Uint8Array(Math.min(mostBytes, this.#dataEnd - this.#at));
    const count = await this.#file.call("read", (done) => read(fd, bytes, 0, bytes.length, this.#at, done));
    this.#at += count;
    // The file has become shorter.
    return count === 0 ? undefined : bytes.subarray(0, count);
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  /** Returns the length of the hole at this place. */
  #skipHole(): number {
    if (!this.#isSparse || this.#at < this.#dataEnd) return 0;
    const [data] = listData(this.#file.fd, this.#end, this.#at);
    const { end, start } = data ?? { start: this.#end, end: this.#end };
    const holeBytes = start - this.#at;
    this.#at = start;
    this.#dataEnd = end;
    return holeBytes;
  }
}

class Sink implements DataStream {
  readonly #file: OpenFile;
  readonly #end: number;
  #at: number;

  constructor(file: OpenFile, { mostBytes, offset }: FilePart) {
    this.#file = file;
    this.#at = offset;
    this.#end = mostBytes === undefined ? Number.MAX_SAFE_INTEGER : offset + mostBytes;
  }

  async put(piece: Piece): Promise<void> {
    const isHole = !(piece instanceof Uint8Array);
    const length = isHole ? piece.holeBytes : piece.length;
    const fitting = Math.min(length, this.#end - this.#at);
    if (isHole) await this.#clear(fitting);
    else await this.#write(piece.subarray(0, fitting));
    if (fitting < length) throw noSpace();
  }

  async finish(): Promise<void> {
    const { fd, isClosed, path } = this.#file;
    if (isClosed) return;
    orThrow(`write to ${path}`, () => {
      // A hole at the end.
      if (fstatSync(fd).isFile() && openedSize(fd) < this.#at) ftruncateSync(fd, this.#at);
    });
    // Not by a thread of bun: there are few, and keepalive needs one.
    await this.#file.during("write to", async () => await syncFile(fd));
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  async #write(bytes: Uint8Array): Promise<void> {
    const { fd } = this.#file;
    for (let done = 0; done < bytes.length && !this.#file.isClosed; ) {
      const from = done;
      const count = await this.#file.call("write to", (report) =>
        write(fd, bytes, from, bytes.length - from, this.#at, report),
      );
      done += count;
      this.#at += count;
    }
  }

  /** Makes a hole. Beyond the end of the file there is nothing to clear. */
  async #clear(length: number): Promise<void> {
    const { fd, path } = this.#file;
    const end = this.#at + length;
    const last = Math.min(end, openedSize(fd));
    for (let start = this.#at; start < last && !this.#file.isClosed; start += CLEARED_BYTES) {
      const part = { start, end: Math.min(last, start + CLEARED_BYTES) };
      await this.#file.during("write to", async () => await clearPart(fd, path, part));
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.#at = end;
  }
}

/** virFDStreamWrite() of libvirt */
function noSpace(): SvirtError {
  return new SvirtError("cannot write to stream: No space left on device", {
    kind: "host-call",
    from: "STREAMS",
    remedy: "Send no more than the volume or the named length has room for.",
  });
}
