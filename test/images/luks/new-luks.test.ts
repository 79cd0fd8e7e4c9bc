import { afterAll, describe, expect, test } from "bun:test";
import fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cryptography } from "../../../src/host/linux/system/cryptography.ts";
import { parseImageHeader } from "../../../src/images/header.ts";
import type { Cryptography } from "../../../src/images/luks/cryptography.ts";
import { encryptSectors } from "../../../src/images/luks/encrypt-sectors.ts";
import { formatLuksHeader, type LuksCipher, luksHeaderBytes } from "../../../src/images/luks/new-luks.ts";
import { parseLuksHeader } from "../../../src/images/luks-header.ts";
import { formatNewImage } from "../../../src/images/new-qcow2.ts";
import { shareOf, testInTurn } from "../../sample.ts";

const inTurn = testInTurn(3);

const MIB = 1024 * 1024;
const DEFAULT: LuksCipher = { bits: 256, hash: "sha256" };
const UUID = "0f4b6d52-9a11-4c0e-8f0e-5d6f1f0c3a77";
const missing = ["qemu-img", "qemu-io"].filter((name) => Bun.which(name) === null).join(", ");
const folder = fs.mkdtempSync(join(tmpdir(), "svirt-luks-"));
afterAll(() => fs.rmSync(folder, { recursive: true }));

const PASSPHRASE = join(folder, "passphrase");
const WRONG = join(folder, "wrong");
fs.writeFileSync(PASSPHRASE, "gäste");
fs.writeFileSync(WRONG, "gaste");

function make(cipher: LuksCipher = DEFAULT, by: Cryptography = cryptography): Promise<Uint8Array> {
  return formatLuksHeader(by, { cipher, passphrase: fs.readFileSync(PASSPHRASE), uuid: UUID });
}

function run(...words: readonly string[]): { code: number; out: string } {
  const { exitCode, stderr, stdout } = Bun.spawnSync([...words]);
  return { code: exitCode, out: `${stdout}${stderr}` };
}

const secret = (file: string): string[] => ["--object", `secret,id=s,file=${file}`, "--image-opts"];

test("formatLuksHeader() writes a header that svirt's own reader reads back", async () => {
  const bytes = await make();
  expect(bytes.length).toBe(luksHeaderBytes(DEFAULT));
  expect(parseLuksHeader(bytes, bytes.length + 4 * MIB)).toEqual({
    format: "raw",
    encryption: "luks",
    virtualSizeBytes: 4 * MIB,
  });
});

inTurn("formatLuksHeader() makes another key and other salts for each volume", async () => {
  const [first, second] = await Promise.all([makeWithKey(), makeWithKey()]);
  for (const [name, at, end] of [
    ["digest", 112, 132],
    ["salt of the digest", 132, 164],
    ["salt of the slot", 216, 248],
    ["parts of the key", 4096, 8192],
  ] as const)
    expect([name, first.bytes.subarray(at, end)]).not.toEqual([name, second.bytes.subarray(at, end)]);
  expect(first.key).toHaveLength(64);
  expect(first.key).not.toEqual(second.key);
});

/** Makes a header, and returns the key of its data too: of which the header's digest is derived. */
async function makeWithKey(): Promise<{ readonly bytes: Uint8Array; readonly key: Uint8Array | undefined }> {
  const keys: { readonly digest: string; readonly key: Uint8Array }[] = [];
  const bytes = await make(DEFAULT, {
    ...cryptography,
    async deriveKey(wanted) {
      const key = wanted.passphrase.slice();
      const derived = await cryptography.deriveKey(wanted);
      keys.push({ digest: derived.toHex(), key });
      return derived;
    },
  });
  const digest = bytes.slice(112, 132).toHex();
  return { bytes, key: keys.find((one) => one.digest === digest)?.key };
}

inTurn(
  "formatLuksHeader() wipes the key, its parts, the derived key and all that it computes of them",
  async () => {
    for (const failing of [false, true]) {
      const seen: Uint8Array[] = [];
      const inputs: Uint8Array[] = [];
      const note = (bytes: Uint8Array): Uint8Array => {
        seen.push(bytes);
        return bytes;
      };
      const made = make(DEFAULT, {
        // A salt and the digest are in the header.
        fillRandom: (bytes) => {
          cryptography.fillRandom(bytes.length === 32 ? bytes : note(bytes));
        },
        hash: (name, bytes) => note(cryptography.hash(name, note(bytes))),
        deriveKey: async (wanted) => {
          const derived = await cryptography.deriveKey({ ...wanted, iterations: 1 });
          return derived.length === 64 ? note(derived) : derived;
        },
        encryptBlocks(key, blocks) {
          inputs.push(note(key), blocks);
          if (failing && inputs.length > 2) throw new Error("no memory");
          return cryptography.encryptBlocks(key, blocks);
        },
      });
      expect(
        await made.then(
          () => "made",
          ({ message }) => message,
        ),
      ).toBe(failing ? "no memory" : "made");
      expect(seen.length).toBeGreaterThan(8000);
      expect(seen.filter((bytes) => bytes.some((byte) => byte !== 0))).toEqual([]);
      // The last ones are the masked parts; the first ones are numbers of sectors.
      expect(inputs.at(-1)?.some((byte) => byte !== 0)).toBe(false);
    }
  },
);

// IEEE 1619-2007, annex B, vector 1, whose unit has 32 bytes: the beginning of a sector of zeros.
test("encryptSectors() gives the first blocks of IEEE 1619's vector", () => {
  const sector = encryptSectors(cryptography, new Uint8Array(32), new Uint8Array(512));
  expect(sector.subarray(0, 32).toHex()).toBe(
    "917cf69ebd68b2ec9b9fe9a3eadda692cd43d2f59598ed858c02c2652fbf922e",
  );
});

describe.skipIf(missing !== "")(`QEMU${missing === "" ? "" : ` (skipped: ${missing} is missing)`}`, () => {
  test.each(shareOf([DEFAULT, { bits: 128, hash: "sha512" }] as const, 0))(
    "opens a volume of %j with its passphrase alone",
    async (cipher) => {
      const path = join(folder, `${cipher.bits}.luks`);
      const luks = await make(cipher);
      fs.writeFileSync(path, formatNewImage({ format: "raw", sizeBytes: 4 * MIB, luks }));
      fs.truncateSync(path, luks.length + 4 * MIB);
      const image = `driver=luks,file.filename=${path},key-secret=s`;
      const info = JSON.parse(run("qemu-img", "info", "--output=json", ...secret(PASSPHRASE), image).out);
      expect([info["virtual-size"], info["format-specific"].data.uuid]).toEqual([4 * MIB, UUID]);
      expect(run("qemu-io", ...secret(PASSPHRASE), "-c", "write -P 7 1M 1M", image).code).toBe(0);
      expect(run("qemu-io", ...secret(PASSPHRASE), "-c", "read -P 7 1M 1M", image).out).not.toContain(
        "failed",
      );
      expect(run("qemu-io", ...secret(WRONG), "-c", "read 0 1M", image).out).toContain("Invalid password");
    },
  );

  test.each(shareOf(["0.10", "1.1"] as const, 0))(
    "opens an encrypted qcow2 image of version %s, and finds it whole",
    async (compat) => {
      const [path, below] = [join(folder, `${compat}.qcow2`), join(folder, "below.raw")];
      fs.writeFileSync(below, new Uint8Array(MIB).fill(5));
      const backing = { path: below, format: "raw" };
      const bytes = formatNewImage({
        format: "qcow2",
        sizeBytes: 4 * MIB,
        options: { compat },
        backing,
        luks: await make(),
      });
      expect(parseImageHeader(bytes, "qcow2")).toMatchObject({ encryption: "luks", backingFile: below });
      fs.writeFileSync(path, bytes);
      const image = `driver=qcow2,file.filename=${path},encrypt.key-secret=s`;
      const work = ["-c", "read -P 5 0 1M", "-c", "write -P 7 2M 64k", "-c", "read -P 7 2M 64k"];
      const end = run("qemu-io", ...secret(PASSPHRASE), ...work, image);
      expect([end.code, end.out]).toEqual([0, expect.not.stringMatching(/failed|error/)]);
      expect(run("qemu-img", "check", "-q", ...secret(PASSPHRASE), image)).toEqual({ code: 0, out: "" });
      expect(run("qemu-io", ...secret(WRONG), "-c", "read 0 1M", image).out).toContain("Invalid password");
      // The data on the host are not those that were written.
      expect(fs.readFileSync(path).includes(new Uint8Array(512).fill(7))).toBe(false);
    },
  );
});
