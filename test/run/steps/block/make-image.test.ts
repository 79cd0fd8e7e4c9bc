import { describe, expect, test } from "bun:test";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import type { Host } from "../../../../src/host/host.ts";
import { DEFAULT_CIPHER, formatLuksHeader } from "../../../../src/images/luks/new-luks.ts";
import { partialPath } from "../../../../src/plan/partial-names.ts";
import type { StepOf } from "../../../../src/plan/steps/step.ts";
import { makeImage, removeImage } from "../../../../src/run/steps/block/make-image.ts";
import { RealFolder } from "../../../real-host/folder.ts";
import { QUICK } from "../../../scenes/luks.ts";

/** Returns the step for an image in the folder `guest`, which is made. */
function stepIn(folder: RealFolder): StepOf<"remove-image"> {
  mkdirSync(`${folder.path}/guest`);
  const path = `${folder.path}/guest/new.qcow2`;
  return { do: "remove-image", path, image: { format: "qcow2", sizeBytes: 1024 * 1024 } };
}

/** Returns a host that calls `change` once, after the content of a file was read. */
function changing(host: Host, change: () => void): Host {
  let isChanged = false;
  const readBytes: Host["readBytes"] = (...which) => {
    const bytes = host.readBytes(...which);
    if (!isChanged) change();
    isChanged = true;
    return bytes;
  };
  return { ...host, readBytes };
}

describe("removeImage()", () => {
  test("removes an empty image, and the partial one of a killed svirt", () => {
    using folder = new RealFolder();
    const step = stepIn(folder);
    makeImage(folder.host, step);
    writeFileSync(partialPath(step.path), readFileSync(step.path).subarray(0, 512));
    removeImage(folder.host, step);
    removeImage(folder.host, step);
    expect(readdirSync(`${folder.path}/guest`)).toEqual([]);
  });

  test("leaves an image with data", () => {
    using folder = new RealFolder();
    const step = stepIn(folder);
    makeImage(folder.host, step);
    writeFileSync(step.path, "data");
    removeImage(folder.host, step);
    expect(existsSync(step.path)).toBe(true);
  });

  test("removes no other file if the folder is replaced by a link meanwhile", () => {
    using folder = new RealFolder();
    const step = stepIn(folder);
    mkdirSync(`${folder.path}/host`);
    const other = folder.file("host/new.qcow2", "other");
    makeImage(folder.host, step);
    const host = changing(folder.host, () => {
      renameSync(`${folder.path}/guest`, `${folder.path}/moved`);
      symlinkSync(`${folder.path}/host`, `${folder.path}/guest`);
    });
    try {
      removeImage(host, step);
    } catch {
      // It may also fail.
    }
    expect(existsSync(other)).toBe(true);
  });

  test("removes no file that replaces the image meanwhile", () => {
    using folder = new RealFolder();
    const step = stepIn(folder);
    makeImage(folder.host, step);
    const host = changing(folder.host, () => {
      folder.file("guest/fresh", "data");
      renameSync(`${folder.path}/guest/fresh`, step.path);
    });
    expect(() => removeImage(host, step)).toThrow("the file was replaced after svirt inspected it");
    expect(readdirSync(`${folder.path}/guest`)).toEqual(["new.qcow2"]);
  });
});

describe("removeImage() of an encrypted image", () => {
  const SECRET = { usage: "/luks" };
  const cipher = DEFAULT_CIPHER;

  function encryptedIn(folder: RealFolder, format: "raw" | "qcow2"): StepOf<"remove-image"> {
    const { image, ...step } = stepIn(folder);
    return { ...step, image: { ...image, format, luks: { cipher, secret: SECRET } } };
  }

  test.each(["raw", "qcow2"] as const)(
    "removes one of svirt's, and keeps a foreign one of its size (%s)",
    async (format) => {
      using folder = new RealFolder();
      const step = encryptedIn(folder, format);
      const options = { cipher, passphrase: new TextEncoder().encode("geheim"), uuid: crypto.randomUUID() };
      const header = await formatLuksHeader(QUICK, options);
      const headers = new Map([[step.path, header]]);
      makeImage(folder.host, step, headers);
      const whole = readFileSync(step.path);
      removeImage(folder.host, step);
      expect(existsSync(step.path)).toBe(false);
      const at = whole.indexOf(header.subarray(0, 592));
      // The data begins at the sector 4,096, as cryptsetup has it; the guest has written its first byte.
      for (const [place, part] of [
        [at + 104, [0, 0, 16, 0]],
        [at + header.length, [1]],
      ] as const) {
        const foreign = Buffer.from(whole);
        foreign.set(part, place);
        writeFileSync(step.path, foreign);
        removeImage(folder.host, step);
        expect(readFileSync(step.path).equals(foreign)).toBe(true);
      }
    },
  );

  test("makeImage() refuses one without a header, and makes no file", () => {
    using folder = new RealFolder();
    const step = encryptedIn(folder, "raw");
    expect(() => makeImage(folder.host, step)).toThrow("changed meanwhile");
    expect(readdirSync(`${folder.path}/guest`)).toEqual([]);
  });
});
