import { expect, test } from "bun:test";
import { parseSize } from "../../../src/domain/forms/parse-size.ts";

// virshVolSize() of libvirt's tools/virsh-volume.c, and virScaleInteger()
test.each([
  ["0", 0],
  ["512", 512],
  ["+512", 512],
  ["1b", 1],
  ["10 bytes", 10],
  ["1k", 1024],
  ["1KB", 1000],
  ["1KiB", 1024],
  ["3G", 3 * 2 ** 30],
  ["2tib", 2 ** 41],
  ["1PB", 10 ** 15],
])("parseSize() reads %s", (text, bytes) => {
  expect(parseSize(text)).toBe(bytes);
});

test.each(["", "G", "-1", "1.5G", "1X", "1G2", "0x10", "99E", "1e3", "9007199254740993"])(
  "parseSize() does not read %j",
  (text) => {
    expect(parseSize(text)).toBeUndefined();
  },
);
