import { expect, test } from "bun:test";
import { formatInstant } from "../../../src/storage/volume/instant.ts";

// As "%lld" and ".%09ld" of timespec print them. virStorageVolTimestampFormat() of libvirt
test.each([
  [1_795_910_486_796_370_957n, "1795910486.796370957"],
  [1_795_910_486_000_000_070n, "1795910486.000000070"],
  [1_795_910_486_000_000_000n, "1795910486"],
  [0n, "0"],
  [-500_000_000n, "-1.500000000"],
])("the instant of %p nanoseconds since 1970 is %s", (instantNs, text) => {
  expect(formatInstant(instantNs)).toBe(text);
});
