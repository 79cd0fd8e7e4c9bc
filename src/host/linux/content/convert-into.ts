import { closeSync, constants, fstatSync } from "node:fs";
import type { SourceFile } from "../../../images/conversion/guest-data.ts";
import type { ImageWrite } from "../../../images/image-writes.ts";
import type { FileId } from "../../../plan/facts/file.ts";
import type { ImageConversion } from "../../new-file.ts";
import { letOthersRun } from "../calls/let-others-run.ts";
import { openSame } from "../files/file-id.ts";
import { changed } from "./copy-into.ts";
import { decompress } from "./decompress.ts";
import { listData, openedSize } from "./extents.ts";
import { lockOpened } from "./locked-image.ts";
import { readAt } from "./read-at.ts";

/** Opened source, as it was at the beginning. */
interface Source {
  readonly id: FileId;
  readonly fd: number;
  readonly state: string;
}

/**
 * Writes a converted image, part by part in the order of `convert`. No QEMU may write to the sources
 * meanwhile, and other guests may read them. Throws "in-use" if a source is locked or changes, and the errors
 * of `convert`.
 */
export async function convertInto(
  write: (part: ImageWrite) => Promise<void> | void,
  { convert, from }: ImageConversion,
): Promise<void> {
  const sources: Source[] = [];
  try {
    for (const id of from) sources.push(await openSource(id, sources.length === 0));
    for (const part of convert(sources.map(fileOf))) {
      await write(part);
      await letOthersRun();
    }
    for (const [at, source] of sources.entries())
      if (stateOf(source.fd, at === 0) !== source.state) throw changed(source.id.path);
  } finally {
    for (const source of sources) closeSync(source.fd);
  }
}

async function openSource(id: FileId, isFirst: boolean): Promise<Source> {
  const fd = openSame(id, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    await lockOpened(fd, { as: "reader", path: id.path, verb: "copy" });
    return { id, fd, state: stateOf(fd, isFirst) };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** A file below others may get another label meanwhile, when a guest starts that reads it. */
function stateOf(fd: number, hasAttributes: boolean): string {
  const { ctimeNs, mtimeNs, size } = fstatSync(fd, { bigint: true });
  return `${size} ${mtimeNs} ${hasAttributes ? ctimeNs : ""}`;
}

function fileOf({ fd }: Source): SourceFile {
  const sizeBytes = openedSize(fd);
  return {
    sizeBytes,
    read: (offset, length) => readAt(fd, offset, length),
    nextData(from) {
      const [first] = listData(fd, sizeBytes, from).take(1);
      return first;
    },
    decompress,
  };
}
