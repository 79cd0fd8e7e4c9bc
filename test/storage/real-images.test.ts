import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { type ImageFacts, type ImageReader, walkChain } from "../../src/storage/image-chain.ts";
import type { ImageFormat } from "../../src/storage/image-header.ts";

// Other programs run here, on a machine that may be busy.
setDefaultTimeout(60_000);

const qemuImg = Bun.which("qemu-img");
const testData = process.env["SVIRT_TEST_DATA"];
const needsQemuImg = qemuImg === null ? " (skipped: qemu-img is missing, install qemu-utils)" : "";
const needsData = testData === undefined ? " (skipped: SVIRT_TEST_DATA is not set)" : "";

interface RealFacts extends ImageFacts {
  readonly path: string;
}

const reader: ImageReader<RealFacts> = {
  facts: (file) => {
    const stat = fs.statSync(file, { throwIfNoEntry: false });
    if (stat === undefined) return undefined;
    return {
      path: file,
      type: stat.isDirectory() ? "folder" : "file",
      id: { device: `${stat.dev}`, inode: `${stat.ino}` },
    };
  },
  read: ({ path: file }, offset, length) => {
    const fd = fs.openSync(file, "r");
    const bytes = new Uint8Array(length);
    const got = fs.readSync(fd, bytes, 0, length, offset);
    fs.closeSync(fd);
    return bytes.subarray(0, got);
  },
};

function chainOf(file: string, format: ImageFormat): string[] {
  const chain = walkChain({ path: file, format, readOnly: false }, reader);
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
    ["new.qcow2", "qcow2", ["new.qcow2 qcow2 top"]],
    ["q.qed", "qed", ["q.qed qed top", "base.raw raw backing"]],
  ] as const)("%s", (file, format, expected) => {
    expect(chainOf(path.join(folder, file), format)).toEqual([...expected]);
  });

  test("luks.qcow2 is refused", () => {
    expect(() => chainOf(path.join(folder, "luks.qcow2"), "qcow2")).toThrow("is encrypted (luks)");
  });
});

describe.skipIf(testData === undefined)(`walkChain() of libvirt's own test images${needsData}`, () => {
  const images = path.join(testData ?? "", "libvirt/virstoragetestdata/images");

  test.each([
    ["qcow2_raw-raw-relative.qcow2", ["raw raw backing"]],
    ["qcow2_qcow2-auto.qcow2", ["qcow2 qcow2 backing"]],
    ["qcow2_raw-auto.qcow2", ["raw raw backing"]],
    ["qcow2_qcow2-qcow2_qcow2-auto.qcow2", ["qcow2_qcow2-auto.qcow2 qcow2 backing", "qcow2 qcow2 backing"]],
    ["qcow2_qcow2-qcow2_raw-auto.qcow2", ["qcow2_raw-auto.qcow2 qcow2 backing", "raw raw backing"]],
    ["qcow2-protocol-backing-file.qcow2", ["raw raw backing"]],
    ["datafile.qcow2", ["raw raw data-file"]],
    ["sub/link2", ["link1 qcow2 backing", "raw raw backing"]],
  ])("%s", (file, below) => {
    expect(chainOf(path.join(images, file), "qcow2")).toEqual([`${path.basename(file)} qcow2 top`, ...below]);
  });

  test("qed_raw-raw-relative", () => {
    expect(chainOf(path.join(images, "qed_raw-raw-relative"), "qed")).toEqual([
      "qed_raw-raw-relative qed top",
      "raw raw backing",
    ]);
  });

  test.each([
    ["loop-1.qcow2", "twice"],
    ["loop-self.qcow2", "twice"],
    // Top and backing image keep their data in one file, which would be written and read at the same places.
    ["qcow2datafile-datafile.qcow2", "images/raw is in its chain twice"],
    ["qcow2_qcow2-missing.qcow2", "does not exist"],
    ["qcow2_qcow2-auto_qcow2-auto.qcow2", "does not record the format"],
    ["qcow2_nbd-raw.qcow2", `the protocol "nbd+tcp"`],
    ["datafile-emptystr.qcow2", "does not name"],
  ])("%s is refused", (file, message) => {
    expect(() => chainOf(path.join(images, file), "qcow2")).toThrow(message);
  });
});
