import { describe, expect, test } from "bun:test";
import { listErrors } from "../../src/errors.ts";
import { checked, element, looseElement, refused } from "../../src/xml/element.ts";
import { attribute, child, children, flag, required, textOf } from "../../src/xml/field.ts";
import { parseDocument } from "../../src/xml/parse-document.ts";
import { readWhole } from "../../src/xml/read-whole.ts";
import { notUnderstood } from "../../src/xml/refusal.ts";
import { integer, oneOf, yesNo } from "../../src/xml/value-form.ts";

const port = checked(
  element(
    "port",
    () => ({
      number: required(attribute("number", integer(1, 9))),
      kind: attribute("kind", oneOf("in", "out")),
      isOpen: flag("open"),
      title: textOf("title", oneOf("a", "b")),
    }),
    [refused("@speed", "it has none")],
  ),
  ({ number, kind }, node) => {
    if (number === 9 && kind === "in") throw notUnderstood({ node }, "9 is no way in", "Write kind='out'.");
  },
);

const ports = looseElement("ports", () => ({
  on: required(attribute("on", yesNo)),
  ports: children(port),
  spare: child(element("spare", () => ({ of: required(child(port)) }))),
}));

function refusalsOf(xml: string): string[] {
  try {
    readWhole(ports, parseDocument(new TextEncoder().encode(xml)));
    return [];
  } catch (thrown) {
    return listErrors(thrown).map(({ message }) => message.replace(/^Cannot read /, ""));
  }
}

describe("readWhole()", () => {
  test("lists every refusal in the order of the document, also of those on one line", () => {
    expect(
      refusalsOf(
        "<ports on='maybe' x='1'><port number='0' kind='up'><title>c</title></port><what/>" +
          "<port speed='1' number='1'><open><deep/></open></port></ports>",
      ),
    ).toEqual([
      `/ports/@on in line 1: "maybe" is not one of "yes", "no"`,
      "/ports/@x in line 1: svirt does not know it",
      `/ports/port[1]/@number in line 1: "0" is not a whole number from 1 to 9`,
      `/ports/port[1]/@kind in line 1: "up" is not one of "in", "out"`,
      `/ports/port[1]/title in line 1: "c" is not one of "a", "b"`,
      "/ports/what in line 1: svirt does not know it",
      "/ports/port[2]/@speed in line 1: it has none",
      "/ports/port[2]/open/deep in line 1: svirt does not know it",
    ]);
  });

  test("names a missing part after what stands in its element", () => {
    expect(refusalsOf("<ports><port number='0'/></ports>")).toEqual([
      "/ports/@on in line 1: it is missing",
      `/ports/port/@number in line 1: "0" is not a whole number from 1 to 9`,
    ]);
    expect(refusalsOf("<ports on='yes'><spare/><port number='0'/></ports>")).toEqual([
      "/ports/spare/port in line 1: it is missing",
      `/ports/port/@number in line 1: "0" is not a whole number from 1 to 9`,
    ]);
  });

  test("does not miss a part that may stand there under a wrong name", () => {
    expect(refusalsOf("<ports on='yes'><port numbr='1'/></ports>")).toEqual([
      "/ports/port/@numbr in line 1: svirt does not know it",
    ]);
  });

  test("checks no value of which a part is refused", () => {
    expect(refusalsOf("<ports on='yes'><port number='9' kind='in'/></ports>")).toEqual([
      "/ports/port in line 1: 9 is no way in",
    ]);
    expect(refusalsOf("<ports on='yes'><port number='9' kind='in'><lid/></port></ports>")).toEqual([
      "/ports/port/lid in line 1: svirt does not know it",
    ]);
  });

  test("throws one refusal as it is, with its place", () => {
    const read = (): unknown =>
      readWhole(ports, parseDocument(new TextEncoder().encode("<ports on='yes'><port number='a'/></ports>")));
    expect(read).toThrow(
      expect.objectContaining({
        name: "SvirtError",
        kind: "xml",
        place: "/ports/port/@number",
        remedy: "Write a whole number from 1 to 9.",
      }),
    );
  });

  test("lists 100 of a million, and says that there are more", () => {
    const all = refusalsOf(`<ports on='yes'>${"<port number='0' a='' b=''/>".repeat(6000)}</ports>`);
    expect(all).toHaveLength(101);
    expect(all.at(-1)).toBe("Cannot list all refusals: there are more than 100");
    expect(all[98]).toBe("/ports/port[33]/@b in line 1: svirt does not know it");
  });
});
