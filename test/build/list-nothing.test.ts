import { describe, expect, test } from "bun:test";
import { formatTable } from "../../src/cli/output/table.ts";

// Runs dist/svirt as root in a new mount namespace, where /var/lib and /run start empty.

const SVIRT = new URL("../../dist/svirt", import.meta.url).pathname;
const UUID = "3a5e1d6c-0f0e-4c59-8f0a-6f9a3f0a7c11";
const EMPTY = { out: formatTable(["Id", "Name", "State"], []), warned: "", code: 0 };
const isAble = process.getuid?.() === 0 && Bun.spawnSync(["unshare", "-m", "true"]).exitCode === 0;
const ASIDE = isAble ? "" : " (skipped: needs root, and mount namespaces)";

function listAfter(preparation: string, redirection = ""): typeof EMPTY {
  const empty = "mount -t tmpfs none /var/lib; mount -t tmpfs none /run";
  const script = `set -e; ${empty}; ${preparation}; exec "$0" list ${redirection}`;
  const child = Bun.spawnSync(["unshare", "-m", "sh", "-c", script, SVIRT], { stdin: "ignore" });
  return { out: child.stdout.toString(), warned: child.stderr.toString(), code: child.exitCode };
}

describe.skipIf(!isAble)(`svirt list where nothing runs${ASIDE}`, () => {
  test.each([
    ["svirt has never been used", "true"],
    ["its folders are empty", "mkdir -p /var/lib/svirt/records /run/svirt/restart"],
    ["a folder is no folder, as for all other commands", "mkdir /var/lib/svirt; : >/var/lib/svirt/records"],
  ])("prints virsh's table without a row when %s", (_, preparation) => {
    expect(listAfter(preparation)).toEqual(EMPTY);
  });

  test.each([
    ["a record", `mkdir -p /var/lib/svirt/records; echo broken >/var/lib/svirt/records/${UUID}.json`],
    ["a restart that was asked for", `mkdir -p /run/svirt/restart; echo broken >/run/svirt/restart/${UUID}`],
  ])("looks at %s, and tells that it cannot be understood", (_, preparation) => {
    expect(listAfter(preparation).warned).toContain("warning: ");
  });

  test("fails where it cannot be written, and says why", () => {
    expect(listAfter("true", ">/dev/full")).toMatchObject({
      warned:
        "error: Cannot write to standard output: No space left on device (errno 28)\n" +
        "remedy: Free space on that file system.\n",
      code: 1,
    });
  });
});
