import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { SvirtError } from "../../src/errors.ts";
import { resolveImageName } from "../../src/images/name.ts";

const top = "/images/sub/top.qcow2";

describe("resolveImageName()", () => {
  test.each([
    ["base.raw", { path: "/images/sub/base.raw" }],
    ["../base.raw", { path: "/images/sub/../base.raw" }],
    ["/other/base.raw", { path: "/other/base.raw" }],
    ["./nbd:no-protocol", { path: "/images/sub/./nbd:no-protocol" }],
    ["file:base.raw", { path: "/images/sub/base.raw" }],
    ["file:/other/base.raw", { path: "/other/base.raw" }],
    ["host_device:/dev/vg/lv", { path: "/dev/vg/lv" }],
    [`json:{"driver":"file","filename":"/a"}`, { path: "/a" }],
    [`json:{"file":{"filename":"/a"}}`, { path: "/a" }],
    [
      `json:{"driver":"qcow2","file.driver":"host_device","file.filename":"/dev/a"}`,
      { path: "/dev/a", format: "qcow2" },
    ],
    [
      `json:{"driver":"qcow2","file":{"driver":"raw","file":{"driver":"file","filename":"/a"}}}`,
      { path: "/a", format: "qcow2" },
    ],
    [
      `json:{"driver":"raw","read-only":true,"file":{"driver":"file","filename":"/a","aio":"native"}}`,
      { path: "/a", format: "raw" },
    ],
  ])("finds the file that %s stands for", (name, expected) => {
    expect(resolveImageName(top, name)).toEqual(expected);
  });

  test.each([
    ["nbd+tcp://example.org:6000/blah", `the protocol "nbd+tcp"`],
    ["ssh://host/x", `the protocol "ssh"`],
    ["rbd:pool/image", `the protocol "rbd"`],
    ["fat:rw:/etc", `the protocol "fat"`],
    ["fd:3", `the protocol "fd"`],
    ["", "it is empty"],
    ["file:", "it is empty"],
    ["json:{", "not a JSON object"],
    ["json:[]", "not a JSON object"],
    [`json:{"driver":"nbd","host":"x"}`, `the driver "nbd"`],
    [`json:{"driver":"file","filename":"relative"}`, "not absolute"],
    [`json:{"driver":"qcow2","file":{"driver":"qcow2","file":{"filename":"/a"}}}`, "one format in another"],
    [`json:{"driver":"qcow2","file.filename":"/a","backing":"/etc/shadow"}`, `"backing"`],
    [`json:{"driver":"raw","offset":512,"file.filename":"/a"}`, `"offset"`],
    [`json:{"file.filename":"/a","file":{"filename":"/b"}}`, `"file.filename" twice`],
    [`json:{"filename":"/a\\u0000b"}`, "not a text"],
    [`json:{"driver":"qcow2"}`, "names no file"],
    [`json:${`{"file":`.repeat(50)}{}${"}".repeat(50)}`, "too deeply"],
  ])("refuses %s", (name, message) => {
    expect(() => resolveImageName(top, name)).toThrow(message);
  });

  test("meets any json: text with an answer or a SvirtError", () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 6 }), (json) => {
        try {
          expect(resolveImageName(top, `json:${json}`).path).toStartWith("/");
        } catch (error) {
          expect(error).toBeInstanceOf(SvirtError);
        }
      }),
    );
  });
});
