import type { FileFacts } from "../../src/host/files.ts";
import { makeLinuxHost } from "../../src/host/linux/linux-host.ts";
import type { ImageReader } from "../../src/images/chain.ts";
import { claimedFormat, HEADER_BYTES } from "../../src/images/header.ts";

const host = makeLinuxHost();

/** Reads files of the real machine as a start does. */
export const realReader: ImageReader<FileFacts> = {
  facts: (path) => host.inspectFile(path),
  read: ({ id }, offset, length) => host.readBytes(id, offset, length),
  formatOf: ({ id }) => claimedFormat(host.readBytes(id, 0, HEADER_BYTES)),
};
