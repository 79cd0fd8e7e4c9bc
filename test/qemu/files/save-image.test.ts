import { describe, expect, test } from "bun:test";
import { asSvirtError } from "../../../src/errors.ts";
import {
  formatSaveHead,
  formatWholeMark,
  HEAD_BYTES,
  parseSaveHead,
  parseSaveImage,
  planSavedXml,
} from "../../../src/qemu/files/save-image.ts";

const HEAD = { xml: "<domain type='kvm'>ö</domain>\n", wasRunning: true };

/** Returns a whole file without QEMU's stream. */
function wholeImage(head = HEAD): Uint8Array {
  const bytes = formatSaveHead(head);
  bytes.set(formatWholeMark());
  return bytes;
}

function read(bytes: Uint8Array) {
  const { dataBytes } = parseSaveHead(bytes.subarray(0, HEAD_BYTES));
  return parseSaveImage(bytes.subarray(0, HEAD_BYTES), bytes.subarray(HEAD_BYTES, HEAD_BYTES + dataBytes));
}

function errorIn(bytes: Uint8Array): string {
  try {
    read(bytes);
  } catch (error) {
    return asSvirtError(error).message;
  }
  throw new Error("it was read");
}

/** Returns a file with one number of the header changed. Number 0 follows the magic. */
function withNumber(at: number, value: number, little = true): Uint8Array {
  const bytes = wholeImage();
  new DataView(bytes.buffer).setUint32(16 + 4 * at, value, little);
  return bytes;
}

describe("the head of a save image", () => {
  test("is laid out as struct _virQEMUSaveHeader of libvirt: magic, version 2, length, running, raw, no cookie", () => {
    const bytes = wholeImage();
    const view = new DataView(bytes.buffer);
    const xmlBytes = new TextEncoder().encode(HEAD.xml).length;
    expect(new TextDecoder().decode(bytes.subarray(0, 16))).toBe("LibvirtQemudSave");
    expect([0, 1, 2, 3, 4].map((at) => view.getUint32(16 + 4 * at, true))).toEqual([
      2,
      xmlBytes + 1 + 64 * 1024,
      1,
      0,
      0,
    ]);
    // 16 bytes of magic, 5 numbers, 14 unused ones.
    expect(new TextDecoder().decode(bytes.subarray(92, 92 + xmlBytes))).toBe(HEAD.xml);
    expect(bytes.length).toBe(92 + xmlBytes + 1 + 64 * 1024);
  });

  test.each([true, false])("is read back as it was written (running: %p)", (wasRunning) => {
    const head = { ...HEAD, wasRunning };
    expect(read(wholeImage(head))).toEqual({ ...head, streamAt: wholeImage(head).length });
  });

  test("of a machine of the other order of bytes is read as well", () => {
    const bytes = wholeImage();
    const view = new DataView(bytes.buffer);
    for (let at = 16; at < HEAD_BYTES; at += 4) view.setUint32(at, view.getUint32(at, true), false);
    expect(read(bytes).xml).toBe(HEAD.xml);
  });

  test("with a cookie after the XML gives the XML alone", () => {
    const bytes = withNumber(4, new TextEncoder().encode(HEAD.xml).length + 1);
    bytes.set(new TextEncoder().encode("<cookie/>"), HEAD_BYTES + HEAD.xml.length + 2);
    expect(read(bytes).xml).toBe(HEAD.xml);
  });

  test.each([
    ["that QEMU's stream was still being written after", formatSaveHead(HEAD), "save image is incomplete"],
    ["of something else", new Uint8Array(200), "image magic is incorrect"],
    ["that is cut off", wholeImage().subarray(0, 50), "failed to read qemu header"],
    ["whose XML is cut off", wholeImage().subarray(0, 120), "failed to read domain XML"],
    ["of a later version", withNumber(0, 3), "image version is not supported (50331648 > 2)"],
    ["without a length", withNumber(1, 0), "invalid header data length: 0"],
    ["with a length beyond reason", withNumber(1, 2 ** 31), "invalid header data length: 2147483648"],
    ["with a cookie outside", withNumber(4, 2 ** 30), "invalid header data length"],
    ["of a compressed one", withNumber(3, 1), "unsupported save image format: gzip"],
  ])("%s is refused in libvirt's words", (_, bytes, words) => {
    expect(errorIn(bytes)).toContain(`operation failed: ${words}`);
  });
});

describe("the XML of a save image is changed", () => {
  const NEW = { xml: "<domain type='kvm'><name>new</name></domain>\n", wasRunning: false };
  const planned = (bytes: Uint8Array, to = NEW) =>
    planSavedXml(bytes.subarray(0, HEAD_BYTES), bytes.subarray(HEAD_BYTES), to);

  /** Returns the file as a kill after some writes leaves it, and that many bytes of the next one. */
  function killedAfter(
    writes: readonly { offset: number; bytes: Uint8Array }[],
    whole: number,
    { before = wholeImage(), cut = 0 }: { readonly before?: Uint8Array; readonly cut?: number } = {},
  ) {
    const bytes = before.slice();
    for (const { bytes: part, offset } of writes.slice(0, whole)) bytes.set(part, offset);
    const next = writes[whole];
    if (next !== undefined) bytes.set(next.bytes.subarray(0, cut), next.offset);
    return bytes;
  }

  test("to a shorter and a longer one, and back, with the same place of QEMU's stream", () => {
    const bytes = wholeImage();
    for (const to of [{ ...NEW, xml: "<domain/>" }, NEW, HEAD]) {
      for (const { bytes: part, offset } of planned(bytes, to).flat()) bytes.set(part, offset);
      expect(read(bytes)).toEqual({ ...to, streamAt: wholeImage().length });
    }
  });

  test("so that a kill at any instant leaves the old or the new one", () => {
    const writes = planned(wholeImage()).flat();
    expect(writes.map(({ offset }) => offset === 0)).toEqual([false, true, false, false, true]);
    for (const [at, { bytes, offset }] of writes.entries()) {
      // The magic differs in four bytes of one sector, which no kill divides.
      const cuts = offset === 0 ? [0] : Array.from(bytes.keys());
      const heads = cuts.map((cut) => read(killedAfter(writes, at, { cut })));
      const expected = { ...(at < 2 ? HEAD : NEW), streamAt: wholeImage().length };
      expect(heads).toEqual(cuts.map(() => expected));
    }
  });

  test("again after a kill, although the file counts as incomplete", () => {
    const killed = killedAfter(planned(wholeImage()).flat(), 3, { cut: 9 });
    expect(new TextDecoder().decode(killed.subarray(0, 16))).toBe("LibvirtQemudPart");
    const third = { ...HEAD, xml: "<domain>3</domain>" };
    for (const { bytes, offset } of planned(killed, third).flat()) killed.set(bytes, offset);
    expect(read(killed)).toMatchObject(third);
  });

  test("so that a kill in the middle of a second change, after the first was killed, leaves one of the three", () => {
    const torn = killedAfter(planned(wholeImage()).flat(), 3, { cut: 9 });
    const third = { ...HEAD, xml: "<domain>3</domain>" };
    const writes = planned(torn, third).flat();
    for (const [at, { bytes, offset }] of writes.entries()) {
      const cuts = offset === 0 ? [0] : Array.from(bytes.keys());
      const found = cuts.map((cut) => read(killedAfter(writes, at, { before: torn, cut })).xml);
      expect([NEW.xml, third.xml]).toEqual(expect.arrayContaining(found));
    }
  });

  test("unless it does not fit, or libvirt's cookie is behind it", () => {
    expect(() => planned(wholeImage(), { ...NEW, xml: "x".repeat(40_000) })).toThrow(
      "operation failed: new xml too large to fit in file",
    );
    expect(() => planned(withNumber(4, 40))).toThrow("libvirt's cookie is in the save image");
  });
});
