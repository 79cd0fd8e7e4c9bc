import { expect, test } from "bun:test";
import { Glob } from "bun";

const SRC = new URL("../../src/", import.meta.url).pathname;
/**
 * O_DIRECTORY and O_NOFOLLOW of x86_64, which are O_DIRECT and O_LARGEFILE of arm64.
 * arch/arm64/include/uapi/asm/fcntl.h of Linux
 */
const OF_ONE_MACHINE = /\b0o[24]00000\b/;

test("no flag of open(2) is written as a number that means another flag on arm64", async () => {
  const files = [...new Glob("**/*.ts").scanSync(SRC)];
  const texts = await Promise.all(
    files.map(async (file) => [file, await Bun.file(SRC + file).text()] as const),
  );
  expect(texts.filter(([, text]) => OF_ONE_MACHINE.test(text)).map(([file]) => file)).toEqual([]);
});
