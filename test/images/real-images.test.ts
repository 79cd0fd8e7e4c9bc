import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { walkChain } from "../../src/images/chain.ts";
import type { ImageFormat } from "../../src/images/element.ts";
import { realReader } from "./real-reader.ts";

// Runs other programs, on a machine that may be busy.
setDefaultTimeout(60_000);

const qemuImg = Bun.which("qemu-img");
const needsQemuImg = qemuImg === null ? " (skipped: qemu-img is missing, install qemu-utils)" : "";

function chainOf(file: string, format: ImageFormat): string[] {
  const chain = walkChain({ path: file, format, readOnly: false }, realReader);
  return chain.map((element) => `${path.basename(element.path)} ${element.format} ${element.role}`);
}

describe.skipIf(qemuImg === null)(`walkChain() of images that qemu-img makes${needsQemuImg}`, () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "svirt-images-"));
  afterAll(() => fs.rmSync(folder, { recursive: true }));
  const make = (...words: string[]): void => {
    const made = Bun.spawnSync([qemuImg ?? "", ...words], { cwd: folder });
    if (!made.success) throw new Error(made.stderr.toString());
  };
  beforeAll(() => {
    make("create", "-q", "-f", "raw", "base.raw", "1M");
    make("create", "-q", "-f", "qcow2", "-b", "base.raw", "-F", "raw", "mid.qcow2");
    make(
      "create",
      "-q",
      "-f",
      "qcow2",
      "-o",
      "cluster_size=2M",
      "-b",
      "mid.qcow2",
      "-F",
      "qcow2",
      "top.qcow2",
    );
    make("create", "-q", "-f", "qcow2", "-o", "compat=0.10", "-b", "base.raw", "-F", "raw", "old.qcow2");
    make("create", "-q", "-f", "qcow2", "-o", "data_file=d.raw,data_file_raw=on", "data.qcow2", "1M");
    make(
      "create",
      "-q",
      "-f",
      "qcow2",
      "-o",
      "compression_type=zstd,extended_l2=on,cluster_size=512k",
      "new.qcow2",
      "1M",
    );
    make(
      "create",
      "-q",
      "-f",
      "qcow2",
      "-o",
      "data_file=e.raw",
      "-b",
      "mid.qcow2",
      "-F",
      "qcow2",
      "both.qcow2",
    );
    make(
      "create",
      "-q",
      "-f",
      "qcow2",
      "-b",
      `json:{"driver":"raw","file":{"driver":"file","filename":"${folder}/base.raw"}}`,
      "-F",
      "raw",
      "json.qcow2",
    );
    for (const [name, target] of Object.entries({
      "on-fifo.qcow2": "fifo",
      "on-folder.qcow2": "folder",
      "on-nothing.qcow2": "nothing",
    }))
      make("create", "-q", "-u", "-f", "qcow2", "-b", target, "-F", "raw", name, "1M");
    make("create", "-q", "-u", "-f", "qcow2", "-b", "on-fifo.qcow2", "-F", "qcow2", "above.qcow2", "1M");
    make(
      "create",
      "-q",
      "-u",
      "-f",
      "qcow2",
      "-b",
      `json:{"driver":"nbd","host":"h","port":"1"}`,
      "-F",
      "raw",
      "json-nbd.qcow2",
      "1M",
    );
    Bun.spawnSync(["mkfifo", `${folder}/fifo`]);
    fs.mkdirSync(`${folder}/folder`);
    make("create", "-q", "-f", "qed", "-b", "base.raw", "-F", "raw", "q.qed");
    make(
      "create",
      "-q",
      "-f",
      "qcow2",
      "-o",
      "encrypt.format=luks,encrypt.key-secret=s,encrypt.iter-time=10",
      "--object",
      "secret,id=s,data=x",
      "luks.qcow2",
      "1M",
    );
    make("bitmap", "--add", "-f", "qcow2", "mid.qcow2", "b0");
  });

  test.each([
    ["top.qcow2", "qcow2", ["top.qcow2 qcow2 top", "mid.qcow2 qcow2 backing", "base.raw raw backing"]],
    ["old.qcow2", "qcow2", ["old.qcow2 qcow2 top", "base.raw raw backing"]],
    ["data.qcow2", "qcow2", ["data.qcow2 qcow2 top", "d.raw raw data-file"]],
    [
      "both.qcow2",
      "qcow2",
      ["both.qcow2 qcow2 top", "e.raw raw data-file", "mid.qcow2 qcow2 backing", "base.raw raw backing"],
    ],
    ["json.qcow2", "qcow2", ["json.qcow2 qcow2 top", "base.raw raw backing"]],
    ["new.qcow2", "qcow2", ["new.qcow2 qcow2 top"]],
    ["q.qed", "qed", ["q.qed qed top", "base.raw raw backing"]],
  ] as const)("%s", (file, format, expected) => {
    expect(chainOf(path.join(folder, file), format)).toEqual([...expected]);
  });

  test.each([
    ["on-fifo.qcow2", "fifo is a fifo, not a file or block device"],
    ["on-folder.qcow2", "folder is a folder, not a file or block device"],
    ["on-nothing.qcow2", "nothing does not exist"],
    ["json-nbd.qcow2", `the driver "nbd" is not supported`],
  ])("%s is refused: %s", (file, why) => {
    expect(() => chainOf(path.join(folder, file), "qcow2")).toThrow(why);
  });

  test("above.qcow2 is refused with the chain that leads to what is wrong", () => {
    expect(() => chainOf(path.join(folder, "above.qcow2"), "qcow2")).toThrow(
      `Cannot follow the image ${folder}/above.qcow2: ${folder}/fifo is a fifo, not a file or block device; its chain is ${folder}/above.qcow2 (qcow2) <- ${folder}/on-fifo.qcow2 (qcow2)`,
    );
  });

  test("luks.qcow2 is refused", () => {
    expect(() => chainOf(path.join(folder, "luks.qcow2"), "qcow2")).toThrow("is encrypted (luks)");
  });
});
